// The frame of all pages: the menu, the person, the colours.
import { AppShell, Box, Burger, Button, Group, Menu, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChartLine, IconLogout, IconMessages, IconUser, IconUsers } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { answerOf, api } from '../api.ts';
import { visibleText } from '../content/invisible.ts';
import { Name } from '../content/marked.tsx';
import { sessionChanged } from '../session.ts';
import { ColorScheme } from './color-scheme.tsx';

interface Place {
  path: string;
  label: string;
  icon: ReactNode;
  adminsOnly: boolean;
}

const places: readonly Place[] = [
  { path: '/projects', label: 'Projects', icon: <IconMessages size={18} />, adminsOnly: false },
  { path: '/runs', label: 'Runs', icon: <IconChartLine size={18} />, adminsOnly: true },
  { path: '/people', label: 'People', icon: <IconUsers size={18} />, adminsOnly: true },
];

export function Shell({
  person,
  children,
}: {
  person: { name: string; role: string };
  children: ReactNode;
}) {
  const [isOpen, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  const shown = places.filter(({ adminsOnly }) => !adminsOnly || person.role === 'admin');
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
            />
            <Link className="plain" href="/projects">
              <Group gap={8} wrap="nowrap">
                <img src="/assets/keel.svg" width={26} height={26} alt="" />
                <Text fw={700} size="lg" style={{ whiteSpace: 'nowrap' }}>
                  Keel Studio
                </Text>
              </Group>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ColorScheme />
            <Account name={person.name} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" className="menu" data-open={isOpen}>
        {shown.map(({ path, label, icon }) => (
          <NavLink
            key={path}
            component={Link}
            href={path}
            label={label}
            leftSection={icon}
            active={location.startsWith(path)}
            aria-current={location.startsWith(path) ? 'page' : undefined}
            onClick={close}
            style={{ borderRadius: 'var(--mantine-radius-md)' }}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Box maw={1320} mx="auto">
          {children}
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}

function Account({ name }: { name: string }) {
  const signOut = async () => {
    await answerOf(api.session.$delete());
    await sessionChanged();
  };
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <Button variant="default" px="sm" aria-label={visibleText(name)}>
          <IconUser size={16} />
          <Text size="sm" truncate maw={140} ml={8} visibleFrom="xs">
            <Name>{name}</Name>
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
