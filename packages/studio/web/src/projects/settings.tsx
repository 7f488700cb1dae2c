// What a project asks of people, in which order they get tasks, and the guidelines.
import {
  Button,
  Checkbox,
  Divider,
  Group,
  NumberInput,
  Select,
  Skeleton,
  Slider,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { readyAspects } from '../../../src/store/ready-aspects.ts';
import type { ProjectSettings } from '../../../src/store/settings.ts';
import { answerOf, api, queries } from '../api.ts';
import { Confirm } from '../shell/confirm.tsx';
import { Failure } from '../shell/failure.tsx';
import { percent } from '../shell/words.ts';
import { AskJudge } from './ask-judge.tsx';
import { useProject } from './use-projects.ts';

export default function Settings({ project }: { project: string }) {
  const about = useProject(project);
  if (about.data === undefined) return <Skeleton h={400} />;
  const { settings, guidelines, name } = about.data;
  return (
    <Stack maw={720} gap="xl">
      <Asking project={project} saved={settings} />
      <Divider />
      <AskJudge project={project} />
      <Divider />
      <Guidelines project={project} saved={guidelines} />
      <Divider />
      <Naming project={project} name={name} />
    </Stack>
  );
}

async function saved(project: string, message: string): Promise<void> {
  notifications.show({ message, color: 'green' });
  await queries.invalidateQueries({ queryKey: ['project', project] });
  await queries.invalidateQueries({ queryKey: ['projects'] });
}

type Setting = keyof ProjectSettings;

function Asking({ project, saved: before }: { project: string; saved: ProjectSettings }) {
  const [settings, setSettings] = useState(before);
  const change = (part: Partial<ProjectSettings>) => setSettings({ ...settings, ...part });
  const save = useMutation({
    mutationFn: () => {
      // What was not changed is not sent: a new number of people is that of all tasks.
      const changed = Object.entries(settings).filter(
        ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as Setting]),
      );
      const json = Object.fromEntries(changed);
      return answerOf(api.projects[':project'].settings.$patch({ param: { project }, json }));
    },
    onSuccess: () => saved(project, 'The settings are saved'),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const aspects = new Map(settings.aspects.map((aspect) => [aspect.key, aspect]));
  return (
    <form onSubmit={submit}>
      <Stack>
        <Title order={2} size="h4">
          What people are asked
        </Title>
        <TagsInput
          label="How much better an answer can be"
          description="From a little to a lot; empty: only which one is better"
          value={settings.strengths}
          onChange={(strengths) => change({ strengths })}
          maxTags={4}
        />
        <Group>
          <Checkbox
            label="Offer a tie"
            checked={settings.tie}
            onChange={(event) => change({ tie: event.currentTarget.checked })}
          />
          <Checkbox
            label="Offer “both bad”"
            checked={settings.bothBad}
            onChange={(event) => change({ bothBad: event.currentTarget.checked })}
          />
          <Checkbox
            label="Ask for better answers"
            checked={settings.edits}
            onChange={(event) => change({ edits: event.currentTarget.checked })}
          />
        </Group>
        <Checkbox.Group
          label="Ratings"
          description="Each answer gets stars for these qualities, 1 to 5 if nothing else is said"
          value={[...aspects.keys()]}
          onChange={(keys) =>
            change({
              aspects: keys.map(
                (key) => aspects.get(key) ?? readyAspects.find((one) => one.key === key)!,
              ),
            })
          }
        >
          <Group mt={6}>
            {[...readyAspects, ...settings.aspects.filter(({ key }) => !isReady(key))].map(
              ({ key, label, least, most }) => (
                <Checkbox
                  key={key}
                  value={key}
                  label={least === 1 && most === 5 ? label : `${label} (${least} to ${most})`}
                />
              ),
            )}
          </Group>
        </Checkbox.Group>
        <OwnAspect add={(aspect) => change({ aspects: [...settings.aspects, aspect] })} />
        <Select
          label="Several answers"
          data={[
            { value: 'order', label: 'are put in order' },
            { value: 'best', label: 'have one best answer' },
          ]}
          value={settings.ranking}
          allowDeselect={false}
          onChange={(ranking) => change({ ranking: ranking as ProjectSettings['ranking'] })}
        />

        <Title order={2} size="h4" mt="md">
          Who gets what
        </Title>
        <NumberInput
          label="People for each task"
          description="Agreement can only be measured on tasks that several people see"
          min={1}
          max={100}
          allowDecimal={false}
          value={settings.overlap}
          onChange={(overlap) => change({ overlap: Number(overlap) })}
        />
        <Select
          label="Order"
          data={[
            { value: 'added', label: 'As tasks were added' },
            { value: 'random', label: 'Random' },
            { value: 'priority', label: 'By priority: what is learned most from comes first' },
          ]}
          value={settings.order}
          allowDeselect={false}
          onChange={(order) => change({ order: order as ProjectSettings['order'] })}
        />
        <Share
          label="Share that stays random"
          description="Of tasks by priority, so that a model can be evaluated without bias, and of the pairs in battles"
          most={1}
          value={settings.randomShare}
          onChange={(randomShare) => change({ randomShare })}
        />
        <Share
          label="Share of gold tasks"
          description="Tasks with a known verdict, which people cannot tell from others"
          most={0.5}
          value={settings.goldShare}
          onChange={(goldShare) => change({ goldShare })}
        />
        <Checkbox
          label="Tell people after a verdict what models expected"
          description="The reward model of a round, and judges that were asked. It may lead people to judge like them"
          checked={settings.suggestions}
          onChange={(event) => change({ suggestions: event.currentTarget.checked })}
        />
        <NumberInput
          label="A verdict is too fast below"
          suffix=" s"
          min={0}
          max={3600}
          value={settings.tooFast}
          onChange={(tooFast) => change({ tooFast: Number(tooFast) })}
        />
        {save.isError && <Failure error={save.error} />}
        <Group>
          <Button type="submit" loading={save.isPending}>
            Save the settings
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const isReady = (key: string): boolean => readyAspects.some((one) => one.key === key);

function OwnAspect({ add }: { add: (aspect: ProjectSettings['aspects'][number]) => void }) {
  const [label, setLabel] = useState('');
  const [question, setQuestion] = useState('');
  const key = label
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '');
  return (
    <Group align="flex-end">
      <TextInput
        label="Own quality"
        placeholder="Concise"
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <TextInput
        label="Its question"
        placeholder="Is nothing in the answer superfluous?"
        value={question}
        style={{ flex: 1 }}
        onChange={(event) => setQuestion(event.currentTarget.value)}
      />
      <Button
        variant="default"
        disabled={key === ''}
        onClick={() => {
          add({ key, label: label.trim(), question: question.trim(), least: 1, most: 5 });
          setLabel('');
          setQuestion('');
        }}
      >
        Add
      </Button>
    </Group>
  );
}

function Share({
  label,
  description,
  most,
  value,
  onChange,
}: {
  label: string;
  description: string;
  most: number;
  value: number;
  onChange: (value: number) => void;
}) {
  return (
    <div>
      <Text size="sm" fw={500}>
        {label}: {percent(value)}
      </Text>
      <Text size="xs" c="dimmed" mb={6}>
        {description}
      </Text>
      <Slider
        thumbLabel={label}
        min={0}
        max={most}
        step={0.01}
        label={percent}
        value={value}
        onChange={onChange}
      />
    </div>
  );
}

function Guidelines({
  project,
  saved: before,
}: {
  project: string;
  saved: { version: number; text: string } | null;
}) {
  const [text, setText] = useState(before?.text ?? '');
  const save = useMutation({
    mutationFn: () =>
      answerOf(api.projects[':project'].guidelines.$put({ param: { project }, json: { text } })),
    onSuccess: () => saved(project, 'The guidelines are saved'),
  });
  return (
    <Stack>
      <Textarea
        label={
          <Title
            order={2}
            size="h4"
          >{`Guidelines${before === null ? '' : `, version ${before.version}`}`}</Title>
        }
        description="Markdown. People see them beside the task. A changed text is a new version, and each verdict says which one it was given under"
        dir="auto"
        autosize
        minRows={6}
        maxRows={24}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {save.isError && <Failure error={save.error} />}
      <Group>
        <Button
          onClick={() => save.mutate()}
          loading={save.isPending}
          disabled={text === (before?.text ?? '')}
        >
          Save the guidelines
        </Button>
      </Group>
    </Stack>
  );
}

function Naming({ project, name: before }: { project: string; name: string }) {
  const [name, setName] = useState(before);
  const [, navigate] = useLocation();
  const rename = useMutation({
    mutationFn: () =>
      answerOf(api.projects[':project'].$patch({ param: { project }, json: { name } })),
    onSuccess: () => saved(project, 'The project has its new name'),
  });
  return (
    <Stack>
      <Group align="flex-end">
        <TextInput
          label="Name"
          dir="auto"
          w={360}
          maw="100%"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button
          variant="default"
          onClick={() => rename.mutate()}
          loading={rename.isPending}
          disabled={name.trim() === '' || name === before}
        >
          Rename
        </Button>
      </Group>
      {rename.isError && <Failure error={rename.error} />}
      <Group>
        <Confirm
          title={`Delete ${before}`}
          question="Its tasks, all verdicts and the guidelines are deleted. Export them first if you may need them: this cannot be undone."
          yes="Delete the project"
          act={async () => {
            await answerOf(api.projects[':project'].$delete({ param: { project } }));
            navigate('/projects');
            await queries.invalidateQueries();
          }}
        >
          {(ask) => (
            <Button color="red" variant="outline" bg="var(--mantine-color-body)" onClick={ask}>
              Delete the project …
            </Button>
          )}
        </Confirm>
      </Group>
    </Stack>
  );
}
