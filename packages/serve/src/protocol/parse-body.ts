import { parseExactJson } from '@keel/model/exact-json';
import type { z } from 'zod';
import { ApiError, invalid } from '../api-error.ts';

/**
 * The JSON body of a request, checked.
 * @throws ApiError naming the first field that is unknown or cannot be used
 */
export async function parseBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError(
      415,
      `The body must be JSON, with the header "Content-Type: application/json", got "${type}"`,
    );
  }
  const text = await request.text();
  let value: unknown;
  try {
    value = withTemplateInputs(JSON.parse(text), text);
  } catch (error) {
    throw invalid(null, `The body is not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw fieldError(parsed.error);
}

/** Fields that the chat template prints. */
const templateInputs = ['messages', 'tools', 'chat_template_kwargs'];

/** Their numbers and the order of their fields are as the client wrote them, as in training. */
function withTemplateInputs(body: unknown, text: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const names = templateInputs.filter((name) => Object.hasOwn(body, name));
  if (names.length === 0) return body;
  const exact = parseExactJson(text) as Record<string, unknown>;
  return { ...body, ...Object.fromEntries(names.map((name) => [name, exact[name]])) };
}

function fieldError({ issues }: z.ZodError): ApiError {
  const issue = issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const param = pathText([...issue.path, issue.keys[0]!]);
    return invalid(param, `Unknown field: "${param}"`, 'unknown_parameter');
  }
  const param = issue.path.length === 0 ? null : pathText(issue.path);
  const { advice } = ((issue as { params?: { advice?: string } }).params ?? {}) as {
    advice?: string;
  };
  const expected = wording(issue);
  // Checks of messages, which are those of rows, name only what is expected.
  const verb = issue.path[0] === 'messages' && !expected.startsWith('expected') ? 'expected ' : '';
  const text = `${param ?? 'The body'}: ${verb}${expected}${advice === undefined ? '' : `. ${advice}`}`;
  return invalid(param, text);
}

/** Messages of custom checks, which say what is expected, stay as they are. */
const wording = ({ message }: z.core.$ZodIssue): string =>
  message.replace(/^Invalid input: /, '').replace(/^./, (letter) => letter.toLowerCase());

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
