// Answers in the order of the person: by dragging, by the arrow keys of a handle, or by typing the
// letters' numbers from the best to the worst.
import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from '@dnd-kit/sortable';
import { CSS } from '@dnd-kit/utilities';
import { ActionIcon, Checkbox, Group, Radio, Stack, Text } from '@mantine/core';
import { IconGripVertical } from '@tabler/icons-react';
import { type ReactNode, useRef } from 'react';
import { letterOf } from './verdict.ts';

/** An order of answers, and which of them are as good as the one before. */
export interface Ranking {
  order: number[];
  /** By answer. */
  tied: boolean[];
}

/** Ranks by answer, 1 for the best; equal answers have equal ranks. */
export function ranksOf({ order, tied }: Ranking): number[] {
  const ranks = order.map(() => 1);
  let rank = 1;
  for (const [place, answer] of order.entries()) {
    if (place > 0 && !tied[answer]) rank += 1;
    ranks[answer] = rank;
  }
  return ranks;
}

/**
 * The order that ranks say; answers without a rank keep their places at the end.
 * @param before the order so far, in which equal answers stay
 */
export function rankingOf(
  ranks: readonly (number | null)[],
  before: readonly number[] = [],
): Ranking {
  const last = ranks.length + 1;
  const start = ranks.some((rank) => rank !== null) && before.length === ranks.length;
  const order = (start ? [...before] : ranks.map((_, at) => at)).sort(
    (a, b) => (ranks[a] ?? last) - (ranks[b] ?? last),
  );
  const tied = ranks.map((rank, at) => {
    const before = order[order.indexOf(at) - 1];
    return before !== undefined && rank !== null && ranks[before] === rank;
  });
  return { order, tied };
}

/** Several answers, of which one is the best. */
export const BestList = ({
  ranks,
  onChange,
  card,
}: {
  ranks: readonly (number | null)[];
  onChange: (ranks: number[]) => void;
  /** The card of an answer, with what stands at its right. */
  card: (at: number, aside: ReactNode) => ReactNode;
}) => (
  <Stack gap="sm" role="radiogroup" aria-label="Which answer is the best">
    {ranks.map((rank, at) =>
      card(
        at,
        <Radio
          label="best"
          aria-label={`Answer ${letterOf(at)} is the best`}
          checked={rank === 1}
          onChange={() => onChange(ranks.map((_, other) => (other === at ? 1 : 2)))}
        />,
      ),
    )}
  </Stack>
);

export function RankingList({
  ranks,
  onChange,
  card,
}: {
  ranks: readonly (number | null)[];
  onChange: (ranks: number[]) => void;
  /** The card of an answer, with what stands at its right. */
  card: (at: number, aside: ReactNode) => ReactNode;
}) {
  const before = useRef<readonly number[]>([]);
  const ranking = rankingOf(ranks, before.current);
  before.current = ranking.order;
  const { order, tied } = ranking;
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const dropped = ({ active, over }: DragEndEvent) => {
    if (over === null || active.id === over.id) return;
    const from = order.indexOf(Number(active.id) - 1);
    const to = order.indexOf(Number(over.id) - 1);
    before.current = arrayMove(order, from, to);
    onChange(ranksOf({ order: [...before.current], tied }));
  };
  return (
    <DndContext
      accessibility={{ announcements: announcements(order) }}
      {...{ sensors, collisionDetection: closestCenter, onDragEnd: dropped }}
    >
      <SortableContext
        // Ids from 1: the library takes 0 for none.
        items={order.map((at) => at + 1)}
        strategy={verticalListSortingStrategy}
      >
        <Stack gap="sm" component="ol" p={0} m={0} style={{ listStyle: 'none' }}>
          {order.map((at, place) => (
            <Sortable key={at} at={at} rank={ranks[at] ?? null}>
              {(handle) =>
                card(
                  at,
                  <Group gap="sm" wrap="nowrap">
                    {place > 0 && (
                      <Checkbox
                        size="xs"
                        label="as good as above"
                        aria-label={`Answer ${letterOf(at)} is as good as the one above`}
                        checked={tied[at]!}
                        onChange={(event) => {
                          const isTied = event.currentTarget.checked;
                          onChange(ranksOf({ order, tied: tied.with(at, isTied) }));
                        }}
                      />
                    )}
                    {handle}
                  </Group>,
                )
              }
            </Sortable>
          ))}
        </Stack>
      </SortableContext>
    </DndContext>
  );
}

/** What a screen reader says while an answer is moved. Ids are those of the sortable items. */
function announcements(order: readonly number[]): Announcements {
  const name = (id: UniqueIdentifier) => `Answer ${letterOf(Number(id) - 1)}`;
  const place = (id: UniqueIdentifier) => order.indexOf(Number(id) - 1) + 1;
  return {
    onDragStart: ({ active }) => `${name(active.id)} is picked up. Arrow keys move it`,
    onDragOver: ({ active, over }) =>
      over === null ? undefined : `${name(active.id)} is at place ${place(over.id)}`,
    onDragEnd: ({ active, over }) =>
      `${name(active.id)} is put at place ${place(over?.id ?? active.id)}`,
    onDragCancel: ({ active }) => `${name(active.id)} is back at its place`,
  };
}

function Sortable({
  at,
  rank,
  children,
}: {
  at: number;
  rank: number | null;
  children: (handle: ReactNode) => ReactNode;
}) {
  const { attributes, listeners, setNodeRef, transform, transition } = useSortable({ id: at + 1 });
  const handle = (
    <ActionIcon
      {...attributes}
      {...listeners}
      variant="subtle"
      color="gray"
      aria-label={`Move answer ${letterOf(at)}`}
      style={{ cursor: 'grab', touchAction: 'none' }}
    >
      <IconGripVertical size={18} />
    </ActionIcon>
  );
  return (
    <li ref={setNodeRef} style={{ transform: CSS.Transform.toString(transform), transition }}>
      <Group align="flex-start" wrap="nowrap" gap="sm">
        <Text w={24} ta="right" pt={18} fw={700} c={rank === null ? 'dimmed' : undefined}>
          {rank ?? '–'}
        </Text>
        <div style={{ flex: 1, minWidth: 0 }}>{children(handle)}</div>
      </Group>
    </li>
  );
}
