// The state of a run as a word with a colour and a shape.
import { Badge, Tooltip } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleX,
  IconDeviceDesktop,
  IconFileText,
  IconPlayerPause,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { RunSummary } from './use-runs.ts';
import './runs.css';

const states: Record<
  RunSummary['state'],
  { color: string; icon: ReactNode; label: string; about: string }
> = {
  running: {
    ...{ color: 'blue', label: 'running', icon: <span className="pulse" /> },
    about: 'A process of this machine trains it',
  },
  elsewhere: {
    ...{ color: 'violet', label: 'elsewhere', icon: <IconDeviceDesktop size={13} /> },
    about: 'A process of another machine writes to it, or did until it was killed',
  },
  finished: {
    ...{ color: 'green', label: 'finished', icon: <IconCircleCheck size={13} /> },
    about: 'It came to its end',
  },
  interrupted: {
    ...{ color: 'gray', label: 'interrupted', icon: <IconPlayerPause size={13} /> },
    about: 'It was stopped before its end, and can be resumed',
  },
  failed: {
    ...{ color: 'red', label: 'failed', icon: <IconCircleX size={13} /> },
    about: 'An error ended it',
  },
  recorded: {
    ...{ color: 'gray', label: 'recorded', icon: <IconFileText size={13} /> },
    about: 'The files of another trainer, which do not say whether it still runs',
  },
};

export function StateBadge({ state }: { state: RunSummary['state'] }) {
  const { color, icon, label, about } = states[state];
  return (
    <Tooltip label={about}>
      <Badge
        variant="light"
        color={color}
        leftSection={icon}
        tt="none"
        fw={600}
        miw="max-content"
        c="bright"
      >
        {label}
      </Badge>
    </Tooltip>
  );
}
