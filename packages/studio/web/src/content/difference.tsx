// What differs between two texts, word by word.
import { Box } from '@mantine/core';
import { diffWordsWithSpace } from 'diff';
import './difference.css';
import { Marked } from './marked.tsx';

/** Shows `text`; words that `other` does not have are marked. */
export function Difference({ text, other }: { text: string; other: string }) {
  const parts = diffWordsWithSpace(other, text).filter(({ removed }) => !removed);
  return (
    <Box dir="auto" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', lineHeight: 1.6 }}>
      {parts.map(({ value, added }, at) =>
        added ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text never change places
          <mark className="own" key={at}>
            <Marked text={value} />
          </mark>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text never change places
          <Marked key={at} text={value} />
        ),
      )}
    </Box>
  );
}
