// The marks of invisible characters in Markdown, in code too, and the directions of its parts.
import { piecesOf } from './invisible.ts';

/** What of a node of a hast tree matters here. */
interface Node {
  type: string;
  value?: string;
  tagName?: string;
  properties?: Record<string, unknown>;
  children?: Node[];
}

/** Their bullets, lines and columns run as what is in them. */
const directed = ['ul', 'ol', 'blockquote', 'table'];

/** A plugin of rehype; HTML, which is shown as text, is marked as text is. */
export const rehypeInvisible = () => (tree: Node) => mark(tree);

function mark(node: Node): void {
  if (directed.includes(node.tagName ?? '')) node.properties = { ...node.properties, dir: 'auto' };
  if (node.children === undefined) return;
  node.children = node.children.flatMap((child): Node[] => {
    if (child.type !== 'text' && child.type !== 'raw') {
      mark(child);
      return [child];
    }
    return piecesOf(child.value ?? '').map((piece) =>
      typeof piece === 'string'
        ? { type: 'text', value: piece }
        : {
            ...{ type: 'element', tagName: 'span' },
            properties: { className: ['invisible'], title: piece.title },
            children: [{ type: 'text', value: piece.label }],
          },
    );
  });
}
