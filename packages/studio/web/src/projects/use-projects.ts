// What the pages know of projects.
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../api.ts';

/** The projects that the person may see. */
export const useProjects = () =>
  useQuery({ queryKey: ['projects'], queryFn: () => answerOf(api.projects.$get()) });

/** A project's name, what it asks of people, and its guidelines. */
export const useProject = (project: string) =>
  useQuery({
    queryKey: ['project', project],
    queryFn: () => answerOf(api.projects[':project'].$get({ param: { project } })),
    staleTime: 60_000,
  });
