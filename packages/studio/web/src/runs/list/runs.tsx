// All runs below the watched folder.
import {
  Alert,
  Button,
  Code,
  Group,
  Paper,
  Select,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { IconChartLine, IconScale, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { EmptyState } from '../../shell/empty-state.tsx';
import { Failure } from '../../shell/failure.tsx';
import { PageHeader } from '../../shell/page-header.tsx';
import { counted } from '../../shell/words.ts';
import { comparePath, type RunSummary, useRuns } from '../use-runs.ts';
import { inOrder, matches, sorts } from './order.ts';
import { RunTable } from './run-table.tsx';

const states: readonly RunSummary['state'][] = [
  ...(['running', 'finished', 'interrupted', 'failed', 'elsewhere', 'recorded'] as const),
];

/** More rows come when they are asked for. */
const ROWS = 100;

export function Runs() {
  const runs = useRuns();
  const [search, setSearch] = useSearchParams();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [most, setMost] = useState(ROWS);
  const filter = {
    ...{ text: search.get('text') ?? '', state: search.get('state'), kind: search.get('kind') },
    sort: search.get('sort') ?? 'updated',
  };
  const set = (name: string, value: string | null): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === null || value === '') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  if (runs.isError) return <Failure error={runs.error} retry={() => void runs.refetch()} />;
  if (runs.data === undefined) return <Skeleton h={300} />;
  const { runs: all, folder, complete, exists, unreadable } = runs.data;
  const shown = inOrder(
    all.filter((run) => matches(run, filter)),
    filter.sort,
  );
  const selected = all.filter(({ id }) => chosen.has(id)).map(({ id }) => id);
  const kinds = [...new Set(all.map(({ kind }) => kind))].sort();
  return (
    <>
      <PageHeader title="Runs" actions={all.length > 0 && <CompareButton selected={selected} />}>
        Everything that trains or was trained in <Code>{folder}</Code>, as it happens.
      </PageHeader>
      {all.length === 0 ? (
        <Stack>
          <Unreadable folders={unreadable} />
          <NoRuns folder={folder} exists={exists} />
        </Stack>
      ) : (
        <Stack>
          <Group gap="sm" role="search" aria-label="Filter runs">
            <TextInput
              aria-label="Find runs"
              placeholder="Name, method or model"
              leftSection={<IconSearch size={16} />}
              value={filter.text}
              onChange={(event) => set('text', event.currentTarget.value)}
              w={240}
            />
            <Select
              aria-label="State"
              placeholder="Any state"
              clearable
              data={states.filter((state) => all.some((run) => run.state === state))}
              value={filter.state}
              onChange={(state) => set('state', state)}
              w={150}
            />
            <Select
              aria-label="Kind"
              placeholder="Any kind"
              clearable
              data={kinds}
              value={filter.kind}
              onChange={(kind) => set('kind', kind)}
              w={150}
            />
            <Select
              aria-label="Sort"
              data={[...sorts]}
              value={filter.sort}
              onChange={(sort) => set('sort', sort === 'updated' ? null : sort)}
              allowDeselect={false}
              w={170}
            />
            <Text size="sm" c="dimmed" role="status">
              {shown.length === all.length
                ? counted(all.length, 'run')
                : `${shown.length} of ${counted(all.length, 'run')}`}
              {!complete && ', and more folders than are read: choose a smaller --runs'}
            </Text>
          </Group>
          <Unreadable folders={unreadable} />
          <Paper withBorder>
            {shown.length === 0 ? (
              <Text c="dimmed" ta="center" py="xl">
                No run is like this. Clear a filter.
              </Text>
            ) : (
              <RunTable
                runs={shown.slice(0, most)}
                all={shown}
                chosen={chosen}
                onChosen={setChosen}
              />
            )}
          </Paper>
          {shown.length > most && (
            <Button variant="default" onClick={() => setMost(most + ROWS)}>
              Show {Math.min(ROWS, shown.length - most)} more
            </Button>
          )}
        </Stack>
      )}
    </>
  );
}

function CompareButton({ selected }: { selected: readonly string[] }) {
  const icon = <IconScale size={18} />;
  if (selected.length === 0) {
    return (
      <Tooltip label="Mark runs in the list first">
        <Button leftSection={icon} disabled>
          Compare
        </Button>
      </Tooltip>
    );
  }
  return (
    <Button component={Link} href={comparePath(selected)} leftSection={icon}>
      Compare {selected.length}
    </Button>
  );
}

/** Folders in which there may be runs, too. */
const Unreadable = ({ folders }: { folders: readonly string[] }) =>
  folders.length === 0 ? null : (
    <Alert color="yellow" title={`${counted(folders.length, 'folder')} cannot be read`}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        There is no permission to read {folders.slice(0, 5).join(', ')}
        {folders.length > 5 && ` and ${folders.length - 5} more`}. Their runs are not listed.
      </Text>
    </Alert>
  );

const NoRuns = ({ folder, exists }: { folder: string; exists: boolean }) => (
  <EmptyState title="No runs yet" icon={<IconChartLine size={40} stroke={1.4} />}>
    <Text mb="sm">
      {exists ? (
        <>
          There is no run in <Code>{folder}</Code>. Runs appear here as soon as they start:
        </>
      ) : (
        <>
          The folder <Code>{folder}</Code> does not exist yet. The first run makes it:
        </>
      )}
    </Text>
    <Code block ta="left" tabIndex={0}>
      npx keel dpo --data examples/data/concise-train.jsonl --lora --output {folder}/first
    </Code>
    <Text mt="sm" size="sm">
      For another folder, start the Studio with --runs. TensorBoard folders of TRL work, too.
    </Text>
  </EmptyState>
);
