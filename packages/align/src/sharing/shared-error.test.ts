import { expect, it } from 'vitest';
import { NonFiniteLossError } from '../training/training-task.ts';
import { reviveError, StoppedElsewhere, sentError, thrownElsewhere } from './shared-error.ts';

const elsewhere = (error: unknown): Error => reviveError(sentError(error), 2);

it('is of the same class where its class is known, with its fields', () => {
  const own = new NonFiniteLossError('the loss is NaN', [3, 5], { heldOut: true });
  const found = elsewhere(own);
  expect(found).toBeInstanceOf(NonFiniteLossError);
  expect(found.message).toBe(own.message);
  expect(found).toMatchObject({ rows: [3, 5], heldOut: true });
});

it('names its rank and keeps its name otherwise', () => {
  const found = elsewhere(Object.assign(new RangeError('too far'), { line: 4, socket: {} }));
  expect(found).toMatchObject({ name: 'RangeError', message: 'on rank 2: too far' });
  expect(elsewhere('text').message).toBe('on rank 2: text');
});

it('is a stop where the other process was stopped', () => {
  const stopped = AbortSignal.abort().reason;
  expect(elsewhere(stopped)).toBeInstanceOf(StoppedElsewhere);
});

it('is known as thrown elsewhere, also as a cause', () => {
  const found = elsewhere(new Error('x'));
  expect(thrownElsewhere(found)).toBe(true);
  expect(thrownElsewhere(new Error('y', { cause: found }))).toBe(true);
  expect(thrownElsewhere(new Error('z'))).toBe(false);
});
