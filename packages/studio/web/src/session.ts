// Who is signed in.
import { useQuery } from '@tanstack/react-query';
import { ApiFailure, answerOf, api, queries, signedOut } from './api.ts';

const key = ['session'];

const read = () => answerOf(api.session.$get());

/** The person; null if nobody is signed in. */
export const useSession = () =>
  useQuery({
    queryKey: key,
    queryFn: async () => {
      const before = queries.getQueryData<Awaited<ReturnType<typeof read>>>(key) ?? null;
      try {
        const person = await read();
        // Another person of this browser: pages of the first one are not theirs.
        if (before !== null && before.name !== person.name) location.reload();
        queries.setQueryData(signedOut, false);
        return person;
      } catch (error) {
        if (!(error instanceof ApiFailure && error.status === 401)) throw error;
        // A session that ends takes no page away: what is written there would be lost.
        return before;
      }
    },
    staleTime: 60_000,
    // The owner signs in again by the link, in another tab or window.
    refetchOnWindowFocus: 'always',
    refetchInterval: ({ state: { data } }) =>
      data != null && queries.getQueryData(signedOut) === true ? 3_000 : false,
  });

/** Whether the session ended while a page was open. */
export const useSignedOut = (): boolean =>
  useQuery({
    queryKey: signedOut,
    queryFn: () => false,
    initialData: false,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;

/** After somebody signed in or out, nothing that was read before is shown. */
export async function sessionChanged(): Promise<void> {
  queries.setQueryData(key, null);
  queries.setQueryData(signedOut, false);
  queries.removeQueries({
    predicate: ({ queryKey: [first] }) => first !== key[0] && first !== signedOut[0],
  });
  await queries.invalidateQueries({ queryKey: key });
}

/** After signing in again, pages stay as they are. */
export const signedInAgain = (): Promise<void> => queries.invalidateQueries({ queryKey: key });
