// Who can sign in, what they may do, and the links that invite others.
import {
  ActionIcon,
  Badge,
  Button,
  Code,
  CopyButton,
  Group,
  Menu,
  Modal,
  MultiSelect,
  SegmentedControl,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
  VisuallyHidden,
} from '@mantine/core';
import { IconDots, IconTrash, IconUserPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api, queries } from '../api.ts';
import { visibleText } from '../content/invisible.ts';
import { Name } from '../content/marked.tsx';
import { useProjects } from '../projects/use-projects.ts';
import { Confirm } from '../shell/confirm.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { dateText } from '../shell/words.ts';
import { ActionsLog } from './actions-log.tsx';

type Role = 'admin' | 'annotator';

const key = ['people'];
const changed = () => queries.invalidateQueries({ queryKey: key });

export default function People() {
  const people = useQuery({ queryKey: key, queryFn: () => answerOf(api.people.$get()) });
  const projects = useProjects();
  const nameOf = (id: string): string =>
    visibleText(projects.data?.find((project) => project.id === id)?.name ?? 'a deleted project');
  const [isInviting, setInviting] = useState(false);
  return (
    <>
      <PageHeader
        title="People"
        actions={
          <Button leftSection={<IconUserPlus size={18} />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        }
      >
        Annotators see the projects that you give them, and nobody else's verdicts. Admins see
        everything.
      </PageHeader>
      {people.isPending && <Skeleton h={160} />}
      {people.isError && <Failure error={people.error} retry={() => void people.refetch()} />}
      {people.data && (
        <Stack gap="xl">
          <Table.ScrollContainer minWidth={560}>
            <Table verticalSpacing="sm" aria-label="People who can sign in">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Role</Table.Th>
                  <Table.Th>Projects</Table.Th>
                  <Table.Th ta="right">Verdicts</Table.Th>
                  <Table.Th>Since</Table.Th>
                  <Table.Th>
                    <VisuallyHidden>Actions</VisuallyHidden>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {people.data.members.map((member) => (
                  <Table.Tr key={member.id}>
                    <Table.Td>
                      <Group gap="xs">
                        <Text fw={550}>
                          <Name>{member.name}</Name>
                        </Text>
                        {member.disabled && <Badge color="gray">signed out</Badge>}
                      </Group>
                    </Table.Td>
                    <Table.Td>{member.role}</Table.Td>
                    <Table.Td>
                      {member.role === 'admin'
                        ? 'all'
                        : member.projects.map(nameOf).join(', ') || 'none'}
                    </Table.Td>
                    <Table.Td ta="right">{member.verdicts}</Table.Td>
                    <Table.Td>{dateText(member.since)}</Table.Td>
                    <Table.Td ta="right">
                      <Actions member={member} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          {people.data.invitations.length > 0 && (
            <section>
              <Title order={2} size="h4" mb="xs">
                Open invitations
              </Title>
              <Table verticalSpacing="sm" aria-label="Open invitations">
                <Table.Tbody>
                  {people.data.invitations.map(({ id, name, role, projects: given, expires }) => (
                    <Table.Tr key={id}>
                      <Table.Td>
                        <Name>{name ?? 'Anyone with the link'}</Name>
                      </Table.Td>
                      <Table.Td>{role}</Table.Td>
                      <Table.Td>{given.map(nameOf).join(', ')}</Table.Td>
                      <Table.Td>until {dateText(expires)}</Table.Td>
                      <Table.Td ta="right">
                        <Withdraw id={id} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </section>
          )}
          <ActionsLog />
        </Stack>
      )}
      <Modal opened={isInviting} onClose={() => setInviting(false)} title="Invite a person">
        <Invite />
      </Modal>
    </>
  );
}

const Withdraw = ({ id }: { id: string }) => (
  <Confirm
    title="Withdraw the invitation"
    question="Its link will no longer work."
    yes="Withdraw"
    act={async () => {
      await answerOf(api.people.invitations[':id'].$delete({ param: { id } }));
      await changed();
    }}
  >
    {(ask) => (
      <ActionIcon variant="subtle" color="red" aria-label="Withdraw the invitation" onClick={ask}>
        <IconTrash size={18} />
      </ActionIcon>
    )}
  </Confirm>
);

function Actions({
  member,
}: {
  member: { id: string; name: string; role: Role; disabled: boolean; projects: readonly string[] };
}) {
  const [isGiving, setGiving] = useState(false);
  const { id, name, role, disabled } = member;
  const change = useMutation({
    mutationFn: (json: { role?: Role; disabled?: boolean; projects?: string[] }) =>
      answerOf(api.people[':id'].$patch({ param: { id }, json })),
    onSuccess: changed,
  });
  return (
    <Confirm
      title={`Sign out ${name}`}
      question="The person is signed out and cannot sign in. The verdicts stay."
      yes="Sign out"
      act={() => change.mutateAsync({ disabled: true })}
    >
      {(ask) => (
        <>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`Change ${visibleText(name)}`}>
                <IconDots size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {role === 'annotator' && (
                <Menu.Item onClick={() => setGiving(true)}>Projects …</Menu.Item>
              )}
              <Menu.Item
                onClick={() => change.mutate({ role: role === 'admin' ? 'annotator' : 'admin' })}
              >
                {role === 'admin' ? 'Make an annotator' : 'Make an admin'}
              </Menu.Item>
              {disabled ? (
                <Menu.Item onClick={() => change.mutate({ disabled: false })}>
                  Let sign in again
                </Menu.Item>
              ) : (
                <Menu.Item color="red" onClick={ask}>
                  Sign out …
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
          {change.isError && <Failure error={change.error} />}
          <Modal
            opened={isGiving}
            onClose={() => setGiving(false)}
            title={`Projects of ${visibleText(name)}`}
          >
            <GiveProjects
              given={member.projects}
              save={async (projects) => {
                await change.mutateAsync({ projects });
                setGiving(false);
              }}
            />
          </Modal>
        </>
      )}
    </Confirm>
  );
}

function GiveProjects({
  given,
  save,
}: {
  given: readonly string[];
  save: (projects: string[]) => Promise<void>;
}) {
  const [chosen, setChosen] = useState([...given]);
  return (
    <Stack>
      <ProjectChoice value={chosen} onChange={setChosen} />
      <Button onClick={() => void save(chosen)}>Save</Button>
    </Stack>
  );
}

function ProjectChoice({
  value,
  onChange,
}: {
  value: string[];
  onChange: (projects: string[]) => void;
}) {
  const projects = useProjects();
  const data = (projects.data ?? []).map(({ id, name }) => ({
    value: id,
    label: visibleText(name),
  }));
  return (
    <MultiSelect
      label="Projects"
      description="What the person works on"
      data={data}
      value={value}
      onChange={onChange}
      searchable
      nothingFoundMessage="There is no such project"
    />
  );
}

function Invite() {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('annotator');
  const [projects, setProjects] = useState<string[]>([]);
  const invite = useMutation({
    mutationFn: () =>
      answerOf(
        api.people.invitations.$post({
          json: { name: name.trim() || null, role, projects: role === 'admin' ? [] : projects },
        }),
      ),
    onSuccess: changed,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  if (invite.data) {
    const { link, expires } = invite.data;
    return (
      <Stack>
        <Text size="sm">
          Send this link to the person. It works once, until {dateText(expires)}, and is not shown
          again.
        </Text>
        <Code block>{link}</Code>
        <CopyButton value={link}>
          {({ copied, copy }) => <Button onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}
        </CopyButton>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Name"
          description="Empty: the person chooses it. The name of imported verdicts continues them"
          value={name}
          maxLength={80}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <div>
          <Text size="sm" fw={500} id="role">
            Role
          </Text>
          <SegmentedControl
            aria-labelledby="role"
            data={[
              { value: 'annotator', label: 'Annotator' },
              { value: 'admin', label: 'Admin' },
            ]}
            value={role}
            onChange={(value) => setRole(value as Role)}
          />
        </div>
        {role === 'annotator' && <ProjectChoice value={projects} onChange={setProjects} />}
        {invite.isError && <Failure error={invite.error} />}
        <Button type="submit" loading={invite.isPending}>
          Make a link
        </Button>
      </Stack>
    </form>
  );
}
