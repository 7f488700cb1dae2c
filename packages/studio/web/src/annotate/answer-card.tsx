// One answer with its letter, its ratings and the button that starts an edit.
import {
  Badge,
  Box,
  Button,
  Card,
  Group,
  NumberInput,
  Rating,
  Stack,
  Text,
  Tooltip,
} from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { type Content, ContentView, textOf } from '../content/content.tsx';
import { Difference } from '../content/difference.tsx';
import { type Asked, type Draft, letterOf } from './verdict.ts';

export function AnswerCard({
  at,
  content,
  asked,
  draft,
  change,
  plain,
  compared,
  chosen,
  aside,
  isFolded,
  edit,
}: {
  at: number;
  content: Content;
  asked: Asked;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  plain: boolean;
  /** The answer that this one's differences are shown to; null: none are. */
  compared: Content | null;
  chosen: boolean;
  aside?: ReactNode;
  /** Whether a long answer scrolls in its card. */
  isFolded: boolean;
  /** null: answers cannot be edited. */
  edit: (() => void) | null;
}) {
  const letter = letterOf(at);
  const rate = (key: string, value: number | null) => {
    const list = draft.ratings[key] ?? draft.ranks.map(() => null);
    change({ ratings: { ...draft.ratings, [key]: list.with(at, value) } });
  };
  return (
    <Card
      withBorder
      component="article"
      aria-label={`Answer ${letter}`}
      style={{
        borderColor: chosen ? 'var(--mantine-primary-color-filled)' : undefined,
        boxShadow: chosen ? '0 0 0 1px var(--mantine-primary-color-filled)' : undefined,
      }}
    >
      <Group justify="space-between" mb="sm" wrap="nowrap">
        <Badge size="lg" variant={chosen ? 'filled' : 'light'} circle>
          {letter}
        </Badge>
        <Group gap="xs">
          {aside}
          {edit && (
            <Tooltip label="Write a better answer, starting from this one">
              <Button
                size="compact-sm"
                variant="subtle"
                leftSection={<IconPencil size={15} />}
                onClick={edit}
              >
                Improve
              </Button>
            </Tooltip>
          )}
        </Group>
      </Group>
      {/* A list that is put in order must not be longer than its answers can be dragged. */}
      <Box
        {...(isFolded && {
          ...{ className: 'folded', tabIndex: 0, role: 'region' },
          'aria-label': `Text of answer ${letter}`,
        })}
      >
        {compared === null ? (
          <ContentView content={content} plain={plain} alone />
        ) : (
          <Difference text={textOf(content)} other={textOf(compared)} />
        )}
      </Box>
      {asked.aspects.length > 0 && (
        <Stack gap={6} mt="md" pt="sm" style={{ borderTop: '1px solid var(--studio-line)' }}>
          {asked.aspects.map(({ key, label, question, least, most }) => (
            <Aspect
              key={key}
              {...{ label, question, least, most }}
              name={`${label} of answer ${letter}`}
              value={draft.ratings[key]?.[at] ?? null}
              onChange={(value) => rate(key, value)}
            />
          ))}
        </Stack>
      )}
    </Card>
  );
}

function Aspect({
  label,
  question,
  least,
  most,
  name,
  value,
  onChange,
}: {
  label: string;
  question: string;
  least: number;
  most: number;
  name: string;
  value: number | null;
  onChange: (value: number | null) => void;
}) {
  const isStars = least === 1 && most <= 10;
  const id = name.replaceAll(' ', '-');
  return (
    <Group justify="space-between" gap="xs">
      <Tooltip label={question} disabled={question === ''} multiline maw={280}>
        <Text size="sm" id={id}>
          {label}
        </Text>
      </Tooltip>
      {isStars ? (
        <Rating
          count={most}
          value={value ?? 0}
          onChange={(given) => onChange(given === 0 ? null : given)}
          getSymbolLabel={(given) => `${name}: ${given} of ${most}`}
          allowClear
        />
      ) : (
        <Points {...{ name, least, most, value, onChange }} />
      )}
    </Group>
  );
}

/** A whole number of a range; one that is only half typed is none yet. */
function Points({
  name,
  least,
  most,
  value,
  onChange,
}: {
  name: string;
  least: number;
  most: number;
  value: number | null;
  onChange: (value: number | null) => void;
}) {
  const [typed, setTyped] = useState<number | string>(value ?? '');
  const isFault = typeof typed === 'number' && (typed < least || typed > most);
  return (
    <NumberInput
      size="xs"
      w={120}
      aria-label={`${name}, from ${least} to ${most}`}
      placeholder={`${least} to ${most}`}
      {...{ min: least, max: most }}
      allowDecimal={false}
      error={isFault}
      value={typed}
      onChange={(given) => {
        setTyped(given);
        const isWhole = typeof given === 'number' && given >= least && given <= most;
        onChange(isWhole ? given : null);
      }}
    />
  );
}
