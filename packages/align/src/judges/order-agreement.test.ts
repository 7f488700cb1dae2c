import { expect, it } from 'vitest';
import { orderWarning } from './order-agreement.ts';

it('warns below 60% of equal winners', () => {
  expect(orderWarning({ value: 0.59 })).toMatch(/59%.*50%/);
  expect(orderWarning({ value: 0.6 })).toBeNull();
  expect(orderWarning({ value: 1 })).toBeNull();
});
