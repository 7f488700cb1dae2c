import { Center, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';

/** A page for people who are not signed in. */
export function Card({ title, children }: { title: string; children: ReactNode }) {
  useDocumentTitle(`${title} · Keel Studio`);
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w={400} shadow="sm">
        <Stack>
          <Group gap={8}>
            <img src="/assets/keel.svg" width={26} height={26} alt="" />
            <Text fw={700} size="lg">
              Keel Studio
            </Text>
          </Group>
          <Title order={1} size="h3">
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}
