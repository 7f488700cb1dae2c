// The scale from "A is much better" to "B is much better", one key for each place.
import { Button, Group, Kbd, Stack, Text, VisuallyHidden } from '@mantine/core';
import type { Draft, Step } from './verdict.ts';

export function PairScale({
  scale,
  bothBad,
  draft,
  choose,
}: {
  scale: readonly Step[];
  bothBad: boolean;
  draft: Draft;
  choose: (part: Pick<Draft, 'choice' | 'strength'>) => void;
}) {
  const isChosen = ({ choice, strength }: Step) =>
    draft.choice === choice && (choice === 'tie' || draft.strength === strength);
  const chosen = scale.find(isChosen);
  const label =
    draft.choice === 'both_bad' ? 'Both are bad' : (chosen?.label ?? 'Which answer is better?');
  return (
    <Stack gap={6} align="center">
      <Text fw={600} size="sm" aria-live="polite">
        {label}
      </Text>
      <Group gap={4} justify="center" role="radiogroup" aria-label="Which answer is better">
        {scale.map((step, at) => (
          <ScaleButton
            key={step.label}
            step={step}
            keyName={String(at + 1)}
            isChosen={isChosen(step)}
            choose={() => choose({ choice: step.choice, strength: step.strength })}
          />
        ))}
        {bothBad && (
          <Button
            role="radio"
            aria-checked={draft.choice === 'both_bad'}
            variant={draft.choice === 'both_bad' ? 'filled' : 'default'}
            onClick={() => choose({ choice: 'both_bad', strength: null })}
            rightSection={
              <Kbd size="xs" visibleFrom="sm">
                0
              </Kbd>
            }
          >
            Both bad
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function ScaleButton({
  step,
  keyName,
  isChosen,
  choose,
}: {
  step: Step;
  keyName: string;
  isChosen: boolean;
  choose: () => void;
}) {
  const side = { left: 'A', right: 'B', tie: '=' }[step.choice];
  const marks = step.choice === 'tie' ? '' : '+'.repeat(Math.max(0, (step.strength ?? 1) - 1));
  return (
    <Button
      role="radio"
      aria-checked={isChosen}
      title={step.label}
      variant={isChosen ? 'filled' : 'default'}
      px={{ base: 6, sm: 'sm' }}
      h={{ base: 44, sm: 36 }}
      miw={40}
      onClick={choose}
    >
      <VisuallyHidden>{step.label}</VisuallyHidden>
      <span aria-hidden>{`${side}${marks}`}</span>
      <Kbd size="xs" ml={8} visibleFrom="sm">
        {keyName}
      </Kbd>
    </Button>
  );
}
