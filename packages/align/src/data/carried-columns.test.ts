import { expect, it } from 'vitest';
import { carriedBeside, carriedColumns } from './carried-columns.ts';

it('carries what belongs to the prompt, and no answer, verdict or reasoning of another one', () => {
  const own = { id: 7, category: 'sums', weight: 1, answer: '4', tools: [{ name: 'f' }] };
  const others = { chosen: 'a', scores: [1], label: false, reasoning_content: 'a', kto_tag: true };
  const found = carriedColumns({ ...own, ...others, row: 'a', finish_reason: 'length' }, [
    'row',
    'tokens',
  ]);
  expect(found.columns).toEqual(own);
  expect([...found.dropped].sort()).toEqual([...Object.keys(others), 'row'].sort());
});

it('leaves out text beside a prompt that the prompt does not have', () => {
  const prompt = [{ role: 'user', content: 'Who won? Oslo beat Bergen.' }];
  const columns = { context: 'Oslo beat Bergen.', instruction: 'Answer in one word.', id: 'x' };
  const found = carriedBeside(prompt, columns, []);
  expect(found.columns).toEqual({ context: 'Oslo beat Bergen.', id: 'x' });
  expect(found.dropped).toEqual(['instruction']);
});
