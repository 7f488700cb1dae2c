// Prompts and answers: a text, or the messages of a chat.
import { Badge, Code, Stack, Text } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Marked, Name } from './marked.tsx';

let markdown: typeof import('./markdown.tsx').SafeMarkdown | null = null;

/** Loads what shows Markdown: pages that wait for it do not move when it comes. */
export async function loadMarkdown(): Promise<void> {
  markdown = (await import('./markdown.tsx')).SafeMarkdown;
}

const LaterMarkdown = lazy(async () => {
  await loadMarkdown();
  return { default: markdown! };
});

export interface ChatMessage {
  role: string;
  content?: string | null;
  [field: string]: unknown;
}

export type Content = string | readonly ChatMessage[];

/** The text of a content, for a diff or as the start of an edit. */
export const textOf = (content: Content): string =>
  typeof content === 'string'
    ? content
    : content.map(({ content: text }) => text ?? '').join('\n\n');

const roles: Readonly<Record<string, string>> = {
  user: 'blue',
  assistant: 'teal',
  system: 'gray',
  tool: 'grape',
};

/**
 * @param alone whether the content is one answer, whose role needs no label
 */
export function ContentView({
  content,
  plain = false,
  alone = false,
}: {
  content: Content;
  /** Whether the characters are shown as they are. */
  plain?: boolean;
  alone?: boolean;
}) {
  if (typeof content === 'string') return <Written text={content} plain={plain} isAnswer={alone} />;
  const isLabelled = !(alone && content.length === 1);
  return (
    <Stack gap="sm">
      {content.map((message, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages of a chat never change places
        <div key={at}>
          {isLabelled && (
            <Badge variant="light" color={roles[message.role] ?? 'gray'} mb={4}>
              <Name>{message.role}</Name>
            </Badge>
          )}
          {/* A call of a tool has no text: what is called follows. */}
          {!(message.content == null && 'tool_calls' in message) && (
            <Written
              text={message.content ?? ''}
              plain={plain}
              isAnswer={message.role === 'assistant'}
            />
          )}
          <Others message={message} />
        </div>
      ))}
    </Stack>
  );
}

/** What a message has beside its text, such as calls of tools: never left out. */
function Others({ message }: { message: ChatMessage }) {
  const { role: _, content: __, ...others } = message;
  if (Object.keys(others).length === 0) return null;
  return (
    <Code block>
      <Marked text={JSON.stringify(others, null, 2)} />
    </Code>
  );
}

function Written({ text, plain, isAnswer }: { text: string; plain: boolean; isAnswer: boolean }) {
  const asIs = (
    <Text component="div" dir="auto" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      <Marked text={text} />
    </Text>
  );
  if (text.trim() === '')
    return (
      <Text c="dimmed" fs="italic">
        {isAnswer ? '(empty answer)' : '(empty)'}
      </Text>
    );
  if (plain) return asIs;
  const Markdown = markdown ?? LaterMarkdown;
  return (
    <Suspense fallback={asIs}>
      <Markdown text={text} />
    </Suspense>
  );
}
