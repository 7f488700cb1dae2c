// What was measured: gates, and the results of the run's command.
import { Badge, Group, Stack, Text, Title } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { Marked, Name } from '../../content/marked.tsx';
import type { RunDetails } from '../use-runs.ts';
import { AttackResults, AuditResults } from './audit.tsx';
import { ComparisonResults } from './comparison.tsx';
import { EvaluationResults } from './evaluation.tsx';
import { JudgeCheck, JudgedAnswers, Scores } from './judged.tsx';
import { LabResults } from './lab.tsx';
import { RatingResults } from './ratings.tsx';

type Results = NonNullable<RunDetails['results']>;

export function ResultsTab({ run }: { run: Pick<RunDetails, 'gates' | 'results'> }) {
  return (
    <Stack gap="lg">
      {run.gates.length > 0 && <Gates gates={run.gates} />}
      {run.results !== null && <Found results={run.results} />}
    </Stack>
  );
}

function Found({ results }: { results: Results }) {
  switch (results.kind) {
    case 'evaluation':
      return <EvaluationResults found={results.found} />;
    case 'judged':
      return <JudgedAnswers found={results.found} />;
    case 'judge-check':
      return <JudgeCheck found={results.found} />;
    case 'scores':
      return <Scores found={results.found} />;
    case 'audit':
      return <AuditResults found={results.found} />;
    case 'attacks':
      return <AttackResults found={results.found} />;
    case 'ratings':
      return <RatingResults found={results.found} />;
    case 'lab':
      return <LabResults found={results.found} />;
    case 'comparison':
      return <ComparisonResults found={results.found} />;
  }
}

const Gates = ({ gates }: { gates: RunDetails['gates'] }) => (
  <Stack gap="xs" component="section" aria-label="Gates">
    <Title order={3} size="h4">
      Gates
    </Title>
    {gates.map(({ name, passed, reasons }) => (
      <Group key={`${name} ${reasons.join(' ')}`} gap="sm" align="flex-start" wrap="nowrap">
        <Badge
          color={passed ? 'green' : 'red'}
          variant="light"
          c="bright"
          tt="none"
          leftSection={passed ? <IconCheck size={13} /> : <IconX size={13} />}
          style={{ flexShrink: 0 }}
        >
          {passed ? 'passed' : 'failed'}
        </Badge>
        <Text size="sm">
          <b>
            <Name>{name}</Name>
          </b>
          : <Marked text={reasons.join('. ')} />
        </Text>
      </Group>
    ))}
  </Stack>
);
