// All projects of the person.
import { Button, Card, SimpleGrid, Skeleton, Text, Title } from '@mantine/core';
import { IconMessages, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { answerOf, api } from '../api.ts';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';

export function Projects({ isAdmin }: { isAdmin: boolean }) {
  const projects = useQuery({
    queryKey: ['projects'],
    queryFn: () => answerOf(api.projects.$get()),
  });
  return (
    <>
      <PageHeader title="Projects">
        A project has prompts with answers, and what people say of them.
      </PageHeader>
      {projects.isPending && <Skeleton h={120} />}
      {projects.isError && <Failure error={projects.error} />}
      {projects.data?.length === 0 && (
        <EmptyState title="No project yet" icon={<IconMessages size={40} stroke={1.4} />}>
          {isAdmin
            ? 'Make a project and import answers to compare.'
            : 'An admin has not yet given you a project.'}
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {projects.data?.map(({ id, name }) => (
          <Link key={id} className="plain" href={`/projects/${id}`}>
            <Card withBorder className="lift">
              <Title order={2} size="h4">
                {name}
              </Title>
            </Card>
          </Link>
        ))}
      </SimpleGrid>
    </>
  );
}
