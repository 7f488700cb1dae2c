import { Alert, Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';

/** What went wrong, and a way on. */
export const Failure = ({
  error,
  retry,
  label = 'Try again',
}: {
  error: Error;
  retry?: () => void;
  /** What the button for `retry` says. */
  label?: string;
}) => (
  <Alert color="red" icon={<IconAlertTriangle />} title="This did not work" role="alert">
    <Group justify="space-between" gap="sm">
      <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
        {error.message}
      </Text>
      {retry && (
        <Button size="xs" variant="default" onClick={retry}>
          {label}
        </Button>
      )}
    </Group>
  </Alert>
);
