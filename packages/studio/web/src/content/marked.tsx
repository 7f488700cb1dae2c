// Text of strangers: invisible characters are marked, so that they can neither hide nor rearrange
// anything.
import { Fragment, type ReactNode } from 'react';
import './invisible.css';
import { piecesOf } from './invisible.ts';

/** A text with its invisible characters as marks. */
export const Marked = ({ text }: { text: string }) =>
  piecesOf(text).map((piece, at) =>
    typeof piece === 'string' ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text never change places
      <Fragment key={at}>{piece}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of a text never change places
      <span key={at} className="invisible" title={piece.title}>
        {piece.label}
      </span>
    ),
  );

/** A cell or a sentence that may be a text of strangers. */
export const MarkedNode = ({ children }: { children: ReactNode }) =>
  typeof children === 'string' ? <Marked text={children} /> : children;

/** A name in the middle of other text, which it cannot rearrange. */
export const Name = ({ children }: { children: string }) => (
  <bdi>
    <Marked text={children} />
  </bdi>
);
