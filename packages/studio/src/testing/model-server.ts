// A server that speaks as keel serve does, with models that answer as they are told.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ModelServer extends AsyncDisposable {
  url: string;
  /** The messages of each request, by model. */
  asked: { model: string; messages: { role: string; content: string }[] }[];
}

/** @param answers what each model says to the last message; null: the request is refused */
export async function openModelServer(
  answers: Readonly<Record<string, (prompt: string) => string | null>>,
): Promise<ModelServer> {
  const asked: ModelServer['asked'] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const send = (body: object) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
      };
      if (request.url === '/v1/models') {
        const data = Object.keys(answers).map((id) => ({ id, object: 'model' }));
        return send({ object: 'list', data });
      }
      const { model, messages } = JSON.parse(text) as ModelServer['asked'][number];
      asked.push({ model, messages });
      const content = answers[model]!(messages.at(-1)!.content);
      if (content === null) response.statusCode = 400;
      send({ choices: [{ index: 0, message: { role: 'assistant', content } }] });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
