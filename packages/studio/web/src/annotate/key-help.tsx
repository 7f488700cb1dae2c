import { Kbd, Modal, Table } from '@mantine/core';
import { type Asked, type Kind, scaleOf } from './verdict.ts';

/** What each key does for this kind of task. */
export function keyLines(kind: Kind, asked: Asked): [string, string][] {
  const own: Record<Kind, [string, string][]> = {
    pair: [
      ...scaleOf(asked).map(({ label }, at): [string, string] => [String(at + 1), label]),
      ['← →', 'One step towards A or B'],
      ...(asked.bothBad ? [['0', 'Both are bad'] as [string, string]] : []),
    ],
    ranking:
      asked.ranking === 'best'
        ? [['1 2 3 …', 'This answer is the best']]
        : [
            ['1 2 3 …', 'This answer comes next, from the best to the worst'],
            ['0', 'Start the order again'],
          ],
    thumb: [
      ['1', 'Good'],
      ['2', 'Bad'],
    ],
  };
  return [
    ...own[kind],
    ['Enter', 'Send the verdict'],
    ['S', 'Skip the task'],
    ['U', 'Take the last verdict back'],
    ['C', 'Write a comment'],
    ...(asked.edits ? [['E', 'Write a better answer'] as [string, string]] : []),
    ['F', 'Flag the task'],
    ...(kind === 'pair' ? [['D', 'Show the differences'] as [string, string]] : []),
    ['P', 'Show plain text instead of Markdown'],
    ['G', 'Show the guidelines'],
    ['Esc', 'Leave a text field'],
    ['?', 'Show these keys'],
  ];
}

export const KeyHelp = ({
  kind,
  asked,
  isOpen,
  close,
}: {
  kind: Kind;
  asked: Asked;
  isOpen: boolean;
  close: () => void;
}) => (
  <Modal opened={isOpen} onClose={close} title="Keys">
    <Table aria-label="Keys">
      <Table.Tbody>
        {keyLines(kind, asked).map(([key, does]) => (
          <Table.Tr key={key}>
            <Table.Td w={110}>
              <Kbd>{key}</Kbd>
            </Table.Td>
            <Table.Td>{does}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Modal>
);
