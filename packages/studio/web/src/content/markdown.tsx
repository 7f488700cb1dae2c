// Markdown of prompts and answers. They are written by models and strangers: HTML in them is shown
// as text, nothing is loaded from elsewhere, and links say where they lead.
import { Anchor, Code, Table } from '@mantine/core';
import Markdown, { type Components } from 'react-markdown';
import rehypeHighlight from 'rehype-highlight';
import remarkGfm from 'remark-gfm';
import { remarkFormulas } from './formulas.ts';
import './markdown.css';
import { Marked } from './marked.tsx';
import { rehypeInvisible } from './rehype-invisible.ts';

const components: Components = {
  a: ({ href, children }) => (
    <Anchor href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
    </Anchor>
  ),
  // An image of another host would tell it who reads the answer.
  img: ({ src, alt }) => (
    <Code>
      <Marked text={`image: ${alt || String(src ?? '')}`} />
    </Code>
  ),
  // Without a mouse, a line that is too long is read by its arrow keys.
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children, dir }) => (
    <Table.ScrollContainer minWidth={200}>
      <Table withTableBorder withColumnBorders dir={dir}>
        {children}
      </Table>
    </Table.ScrollContainer>
  ),
};

export const SafeMarkdown = ({ text }: { text: string }) => (
  <div className="markdown">
    <Markdown
      components={components}
      remarkPlugins={[remarkGfm, remarkFormulas]}
      rehypePlugins={[[rehypeHighlight, { detect: false }], rehypeInvisible]}
    >
      {text}
    </Markdown>
  </div>
);
