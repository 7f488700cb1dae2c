import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { visibleText } from '../content/invisible.ts';
import { Failure } from './failure.tsx';

/** A button whose work is done after a second question. */
export function Confirm({
  title,
  question,
  yes,
  color = 'red',
  act,
  children,
}: {
  title: string;
  question: ReactNode;
  /** The word on the button that does it. */
  yes: string;
  /** Of that button (default: red, for what cannot be undone). */
  color?: string;
  act: () => Promise<unknown>;
  /** The button that asks: receives what opens the question. */
  children: (ask: () => void) => ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const ask = () => {
    setError(null);
    setOpen(true);
  };
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await act();
      setOpen(false);
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {children(ask)}
      <Modal opened={isOpen} onClose={() => setOpen(false)} title={visibleText(title)}>
        <Stack>
          <Text size="sm" component="div">
            {question}
          </Text>
          {error && <Failure error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpen(false)} data-autofocus>
              Cancel
            </Button>
            <Button color={color} loading={isBusy} onClick={() => void confirm()}>
              {yes}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
