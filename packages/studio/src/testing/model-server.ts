// A server that speaks as keel serve does, with models that answer as they are told.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ModelServer extends AsyncDisposable {
  url: string;
  /** The messages of each request, by model. */
  asked: { model: string; messages: { role: string; content: string }[] }[];
  /** Models whose answer nobody waited for until its end. */
  left: string[];
}

/**
 * What a model says to a prompt: a text, or its parts as they come; null: the request is refused.
 * Parts that end with null break off. A text may come late.
 */
export type Answering = (
  prompt: string,
) => string | null | Promise<string> | AsyncIterable<string | null>;

export async function openModelServer(
  answers: Readonly<Record<string, Answering>>,
): Promise<ModelServer> {
  const asked: ModelServer['asked'] = [];
  const left: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', async () => {
      const send = (body: object) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
      };
      if (request.url === '/v1/models') {
        const data = Object.keys(answers).map((id) => ({ id, object: 'model' }));
        return send({ object: 'list', data });
      }
      const { model, messages, stream } = JSON.parse(text) as ModelServer['asked'][number] & {
        stream?: boolean;
      };
      asked.push({ model, messages });
      const said = await answers[model]!(messages.at(-1)!.content);
      if (said === null) {
        response.statusCode = 400;
        return send({ error: { message: `${model} refuses` } });
      }
      // Only a text can come whole.
      if (stream !== true)
        return send({ choices: [{ index: 0, message: { role: 'assistant', content: said } }] });
      response.once('close', () => {
        if (!response.writableFinished) left.push(model);
      });
      // A text has no parts to wait for.
      void write(response, typeof said === 'string' ? (said.match(/\S+\s*/g) ?? []) : said);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, asked, left },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function write(
  response: ServerResponse,
  parts: Iterable<string> | AsyncIterable<string | null>,
): Promise<void> {
  response.setHeader('content-type', 'text/event-stream');
  const event = (choice: object) =>
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`);
  for await (const part of parts) {
    if (part === null) return void response.destroy();
    event({ delta: { content: part }, finish_reason: null });
  }
  event({ delta: {}, finish_reason: 'stop' });
  response.end('data: [DONE]\n\n');
}
