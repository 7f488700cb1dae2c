import { Box, Group, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { visibleText } from '../content/invisible.ts';
import { Marked } from '../content/marked.tsx';

/** Title of a page, what it is for, and what can be done. */
export function PageHeader({
  title,
  children,
  actions,
}: {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  useDocumentTitle(`${visibleText(title)} · Keel Studio`);
  return (
    <Group justify="space-between" align="flex-start" mb="lg" gap="md">
      <Box maw={720}>
        <Title order={1} size="h2" dir="auto" style={{ overflowWrap: 'anywhere' }}>
          <Marked text={title} />
        </Title>
        {children && (
          <Text c="dimmed" mt={4} component="div">
            {children}
          </Text>
        )}
      </Box>
      {actions && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
