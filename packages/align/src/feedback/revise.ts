// Critique and revision (Bai et al. 2022, arXiv:2212.08073, section 3.1): the policy answers, a
// critic says what is wrong with the answer under a principle, a reviser rewrites it; again with
// another principle, round after round.
//
// Deviations from the paper: requests are turns of a chat instead of a transcript; a critique may
// say that nothing needs to change, and then the answer stays; critiques and revisions that are
// copies, repeat themselves or were cut off are dropped, and then the answer stays too.
import { asRead, type Message } from '../data/messages.ts';
import { renderingColumns } from '../data/rendering.ts';
import { splitMix64 } from '../data/shuffle.ts';
import { type Constitution, type CritiquePrinciple, critiqueRequest } from './constitution.ts';
import { drawWithoutRepetition } from './draw.ts';
import {
  critiqueFault,
  findsNothing,
  revisionFault,
  type SaidFault,
  withoutOpening,
  withoutReasoning,
} from './said-text.ts';
import type { Conversation, Said, Speaker } from './speaker.ts';

/** Changes whenever the words around principles, or their order, change. */
export const PROMPT_VERSION = 1;

export interface RevisionPrompt extends Conversation {
  /** Index of the row in the data, from 0. */
  row: number;
  /** The row's other columns, which the rows for training have too. */
  columns?: Readonly<Record<string, unknown>> | undefined;
}

export type RoundOutcome = 'revised' | 'nothing to change' | 'no critique' | 'no revision';

/** One critique and its revision. */
export interface Round {
  principle: string;
  critique_request: string;
  critique: string;
  critic: string;
  revision_request?: string;
  revision?: string;
  reviser?: string;
  outcome: RoundOutcome;
  /** Why a critique or a revision was dropped. */
  dropped?: SaidFault | (string & {});
}

/** Everything that was said about one prompt. */
export interface Lineage {
  row: number;
  prompt: Message[];
  /** The row's other columns; absent if there are none. */
  columns?: Readonly<Record<string, unknown>>;
  /** What the prompt was rendered with, as columns of a row; absent if there was nothing. */
  tools?: unknown[];
  chat_template_kwargs?: Record<string, unknown>;
  /** The first answer; empty if there is none. */
  answer: string;
  /** Whether the policy ended it; false if it was cut off. */
  answer_ended: boolean;
  policy: string;
  rounds: Round[];
  /** The answer after the last round. */
  final: string;
  /** Why there is no answer; absent if there is one. */
  failed?: string;
  constitution: string;
  prompt_version: number;
}

export interface RevisionParts {
  policy: Speaker;
  critic: Speaker;
  reviser: Speaker;
  constitution: Constitution;
  /** 1 or more critiques and revisions per prompt. */
  rounds: number;
  /** Put examples of the constitution before each request. */
  fewShot: boolean;
  seed: number;
  /** Of the policy: its variables are written beside each prompt. */
  template?: { variables: Readonly<Record<string, unknown>> } | null;
}

export interface ChunkOptions {
  /** Of the chunk among those of the job, from 0: its draws do not depend on earlier chunks. */
  chunk: number;
  signal?: AbortSignal | undefined;
  /** Called after each turn that someone said. */
  onTurn?(): void;
  /** Called with a special token that the text of an answer or a revision leaves out. */
  onHidden?(token: string): void;
}

/** Turns that are asked for at most, per prompt. */
export const turnsPerPrompt = (rounds: number): number => 1 + 2 * rounds;

/**
 * Answers some prompts, then criticises and revises the answers round by round.
 * @returns one lineage per prompt, in order; null if it was aborted
 * @throws Error if a speaker cannot be asked
 */
export async function reviseChunk(
  prompts: readonly RevisionPrompt[],
  parts: RevisionParts,
  { chunk, signal, onTurn, onHidden }: ChunkOptions,
): Promise<Lineage[] | null> {
  const { policy, critic, reviser, constitution, rounds, seed, template } = parts;
  const seeds = splitMix64(splitMix64(BigInt(seed))() ^ BigInt(chunk));
  const ask = (speaker: Speaker, asked: readonly Conversation[]): Promise<Said[] | null> =>
    speaker.say(asked, { seed: Number(seeds() >> 11n), signal, ...(onTurn && { onTurn }) });

  const answers = await ask(policy, prompts);
  if (answers === null) return null;
  const noteHidden = ({ hidden }: Said): void => {
    if (hidden !== undefined) onHidden?.(hidden);
  };
  answers.forEach(noteHidden);
  const lineages = prompts.map(({ row, messages, columns = {}, rendering }, at): Lineage => {
    const { text, ended, failed } = answers[at]!;
    const problem = failed ?? (text.trim() === '' ? 'the answer is empty' : undefined);
    return {
      ...{
        row,
        prompt: asRead([...messages]) as Message[],
        ...(Object.keys(columns).length > 0 && { columns }),
        ...renderingColumns(rendering, template),
      },
      ...{ answer: text, answer_ended: ended, policy: policy.name, rounds: [], final: text },
      ...(problem !== undefined && { failed: problem }),
      constitution: `${constitution.name} ${constitution.version}`,
      prompt_version: PROMPT_VERSION,
    };
  });
  const drawn = prompts.map(({ row }) =>
    drawWithoutRepetition(constitution.critiques, { seed, row, rounds }),
  );
  for (let round = 0; round < rounds; round++) {
    const open = lineages.flatMap((one, at) => (one.failed === undefined ? [at] : []));
    const conversations = open.map((at) => {
      const principle = drawn[at]![round]!;
      return conversationOf(prompts[at]!, lineages[at]!.final, principle, parts);
    });
    const critiques = await ask(
      critic,
      conversations.map(({ forCritic }) => forCritic),
    );
    if (critiques === null) return null;
    const rated = open.map((at, index) =>
      criticised(critiques[index]!, lineages[at]!.final, drawn[at]![round]!, parts),
    );
    const toRevise = rated.flatMap(({ outcome }, index) => (outcome === 'revised' ? [index] : []));
    const revisions = await ask(
      reviser,
      toRevise.map((index) => conversations[index]!.forReviser(rated[index]!.critique)),
    );
    if (revisions === null) return null;
    revisions.forEach(noteHidden);
    for (const [place, index] of toRevise.entries()) {
      const at = open[index]!;
      rated[index] = revised(
        rated[index]!,
        revisions[place]!,
        lineages[at]!.final,
        drawn[at]![round]!,
        parts,
      );
    }
    for (const [index, at] of open.entries()) {
      const lineage = lineages[at]!;
      const done = rated[index]!;
      lineage.rounds.push(done);
      if (done.outcome === 'revised') lineage.final = done.revision!;
    }
  }
  return lineages;
}

/** What critic and reviser are asked: examples, the prompt, the answer, and the request. */
function conversationOf(
  { messages, rendering }: RevisionPrompt,
  answer: string,
  { critique, revision }: CritiquePrinciple,
  { constitution, fewShot }: RevisionParts,
): { forCritic: Conversation; forReviser(critique: string): Conversation } {
  const system = messages.filter(({ role }) => role === 'system');
  const turns = messages.filter(({ role }) => role !== 'system');
  const asked: Message[] = [
    ...system,
    ...(fewShot ? constitution.examples.flat() : []),
    ...turns,
    { role: 'assistant', content: answer },
    { role: 'user', content: critiqueRequest(critique) },
  ];
  return {
    forCritic: { messages: asked, rendering },
    forReviser: (said) => ({
      messages: [
        ...asked,
        { role: 'assistant', content: said },
        { role: 'user', content: revision },
      ],
      rendering,
    }),
  };
}

/** The round after its critique; `revised` if a revision is to be asked for. */
function criticised(
  said: Said,
  answer: string,
  { id, critique: request }: CritiquePrinciple,
  parts: RevisionParts,
): Round {
  const critique = withoutOpening(withoutReasoning(said.text));
  const round = {
    ...{ principle: id, critique_request: critiqueRequest(request), critique },
    critic: parts.critic.name,
  };
  if (said.failed === undefined && findsNothing(critique)) {
    return { ...round, outcome: 'nothing to change' };
  }
  const sources = { answer, request, examples: exampleTexts(parts) };
  const dropped = said.failed ?? critiqueFault(critique, sources, said.ended);
  return dropped === null
    ? { ...round, outcome: 'revised' }
    : { ...round, outcome: 'no critique', dropped };
}

function revised(
  round: Round,
  said: Said,
  answer: string,
  { revision: request }: CritiquePrinciple,
  parts: RevisionParts,
): Round {
  const revision = withoutOpening(withoutReasoning(said.text));
  const sources = { answer, request, critique: round.critique, examples: exampleTexts(parts) };
  const dropped = said.failed ?? revisionFault(revision, sources, said.ended);
  const whole = { ...round, revision_request: request, revision, reviser: parts.reviser.name };
  return dropped === null ? whole : { ...whole, outcome: 'no revision', dropped };
}

/** What examples say, which a weak model repeats. */
const exampleTexts = ({ constitution, fewShot }: RevisionParts): string[] =>
  fewShot
    ? constitution.examples
        .flat()
        .filter(({ role }) => role === 'assistant')
        .map(({ content }) => content ?? '')
    : [];
