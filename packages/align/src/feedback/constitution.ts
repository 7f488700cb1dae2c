// A constitution: principles in words, each with the requests that are made of a critic and a
// reviser (Bai et al. 2022, arXiv:2212.08073, section 3.1) and the question that is put to a judge
// (section 4.1), and examples of what a good critique and a good revision look like.
import { z } from 'zod';
import type { Message } from '../data/messages.ts';

const text = z.string().trim().min(1);

/** What a critic is asked to say if an answer needs no change. */
export const NOTHING_TO_CHANGE = 'Nothing to change.';

/** A principle's request for a critique, with the way to say that there is nothing to criticise. */
export const critiqueRequest = (critique: string): string =>
  `${critique} If the response needs no change, say only: ${NOTHING_TO_CHANGE}`;

const principleSchema = z.strictObject({
  /** Its name in the lineage. */
  id: z.string().regex(/^[\w.-]+$/, 'letters, digits, full stops, hyphens and underscores'),
  /** Asks what is wrong with the last answer; absent: the principle is for judges only. */
  critique: text.optional(),
  /** Asks for a better answer. */
  revision: text.optional(),
  /** Asks which of two answers is better; absent: the principle is for critics only. */
  preference: text.optional(),
});

const exampleSchema = z.strictObject({
  prompt: text,
  answer: text,
  /** The request, or the id of the principle that makes it. */
  principle: text,
  critique: text,
  /** Absent where the critique finds nothing. */
  revision: text.optional(),
});

/** The file of a constitution in Keel's own form. */
export const constitutionSchema = z
  .strictObject({
    name: text,
    /** Changes whenever a word of the file changes, so that rows say what they were made with. */
    version: z
      .union([z.string().min(1), z.number()], { error: 'expected a number or text, such as 1' })
      .transform(String),
    description: text.optional(),
    principles: z.array(principleSchema).min(1),
    examples: z.array(exampleSchema).default([]),
  })
  .check(({ value, issues }) => {
    const add = (path: (string | number)[], message: string): void => {
      issues.push({ code: 'custom', path, message, input: value });
    };
    const seen = new Set<string>();
    for (const [index, { id, critique, revision, preference }] of value.principles.entries()) {
      const path = ['principles', index];
      if (seen.has(id)) add([...path, 'id'], `"${id}" is the id of an earlier principle too`);
      seen.add(id);
      if ((critique === undefined) !== (revision === undefined)) {
        add(path, 'a principle has "critique" and "revision", or neither');
      }
      if (critique === undefined && preference === undefined) {
        add(path, 'a principle has "critique" and "revision", or "preference", or all three');
      }
    }
    for (const [index, { principle }] of value.examples.entries()) {
      const known = value.principles.find(({ id }) => id === principle);
      if (known?.critique !== undefined) continue;
      const path = ['examples', index, 'principle'];
      add(path, `"${principle}" is not the id of a principle with a critique`);
    }
  });

export interface CritiquePrinciple {
  id: string;
  critique: string;
  revision: string;
}

export interface PreferencePrinciple {
  id: string;
  preference: string;
}

export interface Constitution {
  name: string;
  version: string;
  /** Principles to criticise and revise answers by; empty in a constitution for judges. */
  critiques: readonly CritiquePrinciple[];
  /** Principles to compare answers by; empty in a constitution for critics. */
  preferences: readonly PreferencePrinciple[];
  /** Whole conversations of answer, critique and revision, which precede each request. */
  examples: readonly (readonly Message[])[];
}

/** A constitution from its file's content. */
export function ownConstitution(file: z.output<typeof constitutionSchema>): Constitution {
  const { name, version, principles, examples } = file;
  const critiques = principles.flatMap(({ id, critique, revision }): CritiquePrinciple[] =>
    critique === undefined || revision === undefined ? [] : [{ id, critique, revision }],
  );
  return {
    ...{ name, version, critiques },
    preferences: principles.flatMap(({ id, preference }) =>
      preference === undefined ? [] : [{ id, preference }],
    ),
    examples: examples.map(({ prompt, answer, principle, critique, revision }) => {
      const asked = critiques.find(({ id }) => id === principle)!;
      const turns: Message[] = [
        { role: 'user', content: prompt },
        { role: 'assistant', content: answer },
        { role: 'user', content: critiqueRequest(asked.critique) },
        { role: 'assistant', content: critique },
      ];
      if (revision === undefined) return turns;
      return [
        ...turns,
        { role: 'user', content: asked.revision },
        { role: 'assistant', content: revision },
      ];
    }),
  };
}
