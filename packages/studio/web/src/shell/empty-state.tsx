import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** Says what would be here, and how it comes here. */
export const EmptyState = ({
  title,
  icon,
  children,
  action,
}: {
  title: string;
  icon?: ReactNode;
  children: ReactNode;
  action?: ReactNode;
}) => (
  <Stack align="center" gap="sm" py={64} px="md" ta="center">
    {icon}
    <Title order={2} size="h3">
      {title}
    </Title>
    <Text c="dimmed" w="100%" maw={520} component="div" style={{ overflowWrap: 'anywhere' }}>
      {children}
    </Text>
    {action}
  </Stack>
);
