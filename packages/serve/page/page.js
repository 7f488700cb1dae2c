// A chat with one model, or the same chat with two, each side with its own answers.
const byId = (id) => document.getElementById(id);
const sides = ['left', 'right'].map((name) => ({
  choice: byId(name),
  turns: byId(`${name}-turns`),
  messages: [],
}));
let running = null;

const headers = () => {
  const key = byId('key').value;
  return { 'Content-Type': 'application/json', ...(key && { Authorization: `Bearer ${key}` }) };
};

function showProblem(text) {
  byId('problem').textContent = text;
  byId('problem').hidden = text === '';
}

/** @throws Error with the server's own message */
async function request(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() });
  if (response.ok) return response;
  if (response.status === 401) byId('key-field').hidden = false;
  const body = await response.json().catch(() => null);
  throw new Error(body?.error?.message ?? `The server answered ${response.status}`);
}

async function listModels() {
  const { data } = await (await request('v1/models')).json();
  for (const [index, { choice }] of sides.entries()) {
    const before = choice.value;
    const names = data.map(({ id }) => new Option(id, id));
    choice.replaceChildren(...(index === 1 ? [new Option('none', '')] : []), ...names);
    if (data.some(({ id }) => id === before)) choice.value = before;
  }
}

function addTurn({ turns }, role, text) {
  const turn = document.createElement('li');
  turn.className = role;
  turn.textContent = text;
  turns.append(turn);
  turn.scrollIntoView({ block: 'end' });
  return turn;
}

/** The JSON values of server-sent events. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.replace(/^data: /, '');
      if (data !== '[DONE]') yield JSON.parse(data);
    }
  }
}

async function answer(side, signal) {
  const system = byId('system').value;
  const seed = byId('seed').value;
  const start = system === '' ? [] : [{ role: 'system', content: system }];
  const turn = addTurn(side, 'assistant', '');
  const began = performance.now();
  let text = '';
  let facts = '';
  try {
    const response = await request('v1/chat/completions', {
      method: 'POST',
      signal,
      body: JSON.stringify({
        model: side.choice.value,
        messages: [...start, ...side.messages],
        temperature: Number(byId('temperature').value),
        max_tokens: Number(byId('length').value),
        ...(seed !== '' && { seed: Number(seed) }),
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    for await (const chunk of events(response)) {
      if (chunk.error) throw new Error(chunk.error.message);
      text += chunk.choices[0]?.delta.content ?? '';
      turn.textContent = text;
      if (chunk.choices[0]?.finish_reason === 'length') facts = 'cut off, ';
      if (chunk.usage) {
        const rate = chunk.usage.completion_tokens / ((performance.now() - began) / 1000);
        facts += `${chunk.usage.completion_tokens} tokens, ${rate.toFixed(1)} a second`;
      }
    }
  } catch (error) {
    if (error.name !== 'AbortError') {
      // The question has no answer, so later ones are asked without it.
      side.messages.pop();
      turn.remove();
      throw error;
    }
    facts = 'stopped';
  }
  side.messages.push({ role: 'assistant', content: text });
  const note = document.createElement('span');
  note.className = 'facts';
  note.textContent = facts;
  turn.append(note);
}

function setRunning(controller) {
  running = controller;
  byId('send').disabled = controller !== null;
  byId('stop').disabled = controller === null;
}

async function send() {
  const content = byId('message').value.trim();
  if (content === '' || running !== null) return;
  byId('message').value = '';
  showProblem('');
  setRunning(new AbortController());
  const asked = sides.filter(({ choice }) => choice.value !== '');
  for (const side of asked) {
    side.messages.push({ role: 'user', content });
    addTurn(side, 'user', content);
  }
  const results = await Promise.allSettled(asked.map((side) => answer(side, running.signal)));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) showProblem(failed.reason.message);
  setRunning(null);
}

function startOver() {
  running?.abort();
  for (const side of sides) {
    side.messages = [];
    side.turns.replaceChildren();
  }
  showProblem('');
}

byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
byId('message').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
byId('stop').addEventListener('click', () => running?.abort());
byId('clear').addEventListener('click', startOver);
byId('key').addEventListener('change', () => load());
byId('right').addEventListener('change', () => {
  byId('right-side').hidden = byId('right').value === '';
  startOver();
});
byId('left').addEventListener('change', startOver);

const load = () =>
  listModels().then(
    () => showProblem(''),
    (error) => showProblem(error.message),
  );
load();
