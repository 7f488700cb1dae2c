// All projects of the person.
import {
  Badge,
  Button,
  Card,
  Group,
  Modal,
  Progress,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconMessages, IconPlus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { answerOf, api, queries } from '../api.ts';
import { visibleText } from '../content/invisible.ts';
import { Name } from '../content/marked.tsx';
import { EmptyState } from '../shell/empty-state.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { agoText, counted } from '../shell/words.ts';
import { useProjects } from './use-projects.ts';

export function Projects({ isAdmin }: { isAdmin: boolean }) {
  const projects = useProjects();
  const [isAdding, setAdding] = useState(false);
  const add = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setAdding(true)}>
      New project
    </Button>
  );
  return (
    <>
      <PageHeader title="Projects" actions={isAdmin && add}>
        A project has prompts with answers, and what people say of them.
      </PageHeader>
      {projects.isPending && <Skeleton h={150} />}
      {projects.isError && <Failure error={projects.error} retry={() => void projects.refetch()} />}
      {projects.data?.length === 0 && (
        <EmptyState
          title="No project yet"
          icon={<IconMessages size={40} stroke={1.4} />}
          action={isAdmin && add}
        >
          {isAdmin
            ? 'Make a project, and import prompts with answers that people compare.'
            : 'An admin has not given you a project yet. It appears here.'}
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {projects.data?.map((project) => (
          <ProjectCard key={project.id} project={project} isAdmin={isAdmin} />
        ))}
      </SimpleGrid>
      <Modal opened={isAdding} onClose={() => setAdding(false)} title="New project">
        <NewProject />
      </Modal>
    </>
  );
}

function ProjectCard({
  project: { id, name: given, tasks, finished, verdicts, people, lastActivity },
  isAdmin,
}: {
  project: {
    id: string;
    name: string;
    tasks: number;
    finished: number;
    verdicts: number;
    people: number;
    lastActivity: string | null;
  };
  isAdmin: boolean;
}) {
  const name = visibleText(given);
  return (
    <Card withBorder className="lift" component="article">
      <Stack gap="sm" h="100%">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h4" lineClamp={2}>
            {isAdmin ? (
              <Link className="plain" href={`/projects/${id}`}>
                <Name>{given}</Name>
              </Link>
            ) : (
              <Name>{given}</Name>
            )}
          </Title>
          {tasks > 0 && finished === tasks && <Badge color="green">finished</Badge>}
        </Group>
        <Progress
          value={tasks === 0 ? 0 : (100 * finished) / tasks}
          aria-label={`${finished} of ${tasks} tasks of ${name} are finished`}
        />
        <Text size="sm" c="dimmed">
          {tasks === 0
            ? 'No tasks yet'
            : `${finished.toLocaleString('en')} of ${counted(tasks, 'task')}, ${counted(verdicts, 'verdict')} of ${counted(people, 'person', 'people')}`}
          {lastActivity !== null && `, ${agoText(lastActivity)}`}
        </Text>
        <Group gap="xs" mt="auto">
          {tasks > 0 && (
            <Button
              component={Link}
              href={`/projects/${id}/annotate`}
              size="compact-md"
              variant="light"
              aria-label={`Annotate ${name}`}
            >
              Annotate
            </Button>
          )}
          <Button
            component={Link}
            href={`/projects/${id}/battle`}
            size="compact-md"
            variant="subtle"
            aria-label={`Arena of ${name}`}
          >
            Arena
          </Button>
          {isAdmin && (
            <Button
              component={Link}
              href={`/projects/${id}`}
              size="compact-md"
              variant="subtle"
              aria-label={`Open ${name}`}
            >
              Open
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  );
}

function NewProject() {
  const [name, setName] = useState('');
  const [, navigate] = useLocation();
  const add = useMutation({
    mutationFn: () => answerOf(api.projects.$post({ json: { name } })),
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries({ queryKey: ['projects'] });
      navigate(`/projects/${id}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        {add.isError && <Failure error={add.error} />}
        <Button type="submit" loading={add.isPending}>
          Make the project
        </Button>
      </Stack>
    </form>
  );
}
