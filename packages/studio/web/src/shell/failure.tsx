import { Alert, Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Marked } from '../content/marked.tsx';

/** What went wrong, and a way on. */
export const Failure = ({
  error,
  title = 'This did not work',
  retry,
  label = 'Try again',
}: {
  error: Error;
  title?: string;
  retry?: () => void;
  /** What the button for `retry` says. */
  label?: string;
}) => (
  <Alert color="red" icon={<IconAlertTriangle />} title={title} role="alert">
    <Group justify="space-between" gap="sm">
      <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        <Marked text={error.message} />
      </Text>
      {retry && (
        <Button size="xs" variant="default" onClick={retry}>
          {label}
        </Button>
      )}
    </Group>
  </Alert>
);
