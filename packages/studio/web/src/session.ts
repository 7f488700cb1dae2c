// Who is signed in.
import { useQuery } from '@tanstack/react-query';
import { ApiFailure, answerOf, api, queries } from './api.ts';

const key = ['session'];

/** The person; null if nobody is signed in. */
export const useSession = () =>
  useQuery({
    queryKey: key,
    queryFn: async () => {
      try {
        return await answerOf(api.session.$get());
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });

/** After somebody signed in or out, nothing that was read before is shown. */
export async function sessionChanged(): Promise<void> {
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== key[0] });
  await queries.invalidateQueries({ queryKey: key });
}
