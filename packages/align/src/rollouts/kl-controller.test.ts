import { describe, expect, it } from 'vitest';
import { AdaptiveKlController, FixedKlController } from './kl-controller.ts';

const options = { target: 6, horizon: 10_000 };

describe('AdaptiveKlController', () => {
  it('raises the coefficient above the target and lowers it below', () => {
    const controller = new AdaptiveKlController(0.2, options);
    controller.observe(6.6, 100);
    expect(controller.coefficient).toBeCloseTo(0.2 * (1 + 0.1 * 0.01), 14);
    controller.observe(6, 100);
    expect(controller.coefficient).toBeCloseTo(0.2 * (1 + 0.1 * 0.01), 14);
  });

  it('limits the error to a fifth', () => {
    for (const [kl, sign] of [
      [1e6, 1],
      [-50, -1],
    ] as const) {
      const controller = new AdaptiveKlController(0.2, options);
      controller.observe(kl, 100);
      expect(controller.coefficient).toBeCloseTo(0.2 * (1 + sign * 0.2 * 0.01), 14);
    }
  });

  it('never changes its sign, however large the batch', () => {
    const controller = new AdaptiveKlController(0.2, { target: 6, horizon: 10 });
    controller.observe(0, 1000);
    expect(controller.coefficient).toBeCloseTo(0.02, 14);
  });

  it('moves the KL to its target', () => {
    // A policy whose KL falls as the coefficient rises.
    const controller = new AdaptiveKlController(0.01, { target: 2, horizon: 100 });
    const klNow = () => 0.5 / controller.coefficient;
    for (let step = 0; step < 2000; step++) controller.observe(klNow(), 16);
    expect(klNow()).toBeCloseTo(2, 6);
  });

  it('resumes from its state as if it had never stopped (verl#2653: lost on resume)', () => {
    const [one, other] = [1, 2].map(() => new AdaptiveKlController(0.2, options)) as [
      AdaptiveKlController,
      AdaptiveKlController,
    ];
    one.observe(9, 64);
    other.restore(JSON.parse(JSON.stringify(one.state())));
    for (const controller of [one, other]) controller.observe(3, 64);
    expect(other.coefficient).toBe(one.coefficient);
    expect(one.coefficient).not.toBe(0.2);
  });

  it('refuses a start of 0, a KL of NaN, and a damaged state', () => {
    expect(() => new AdaptiveKlController(0, options)).toThrow(/start above 0, got 0/);
    expect(() => new AdaptiveKlController(1, { target: 0, horizon: 1 })).toThrow(/target/);
    expect(() => new AdaptiveKlController(1, { target: 1, horizon: 0 })).toThrow(/horizon/);
    const controller = new AdaptiveKlController(0.2, options);
    expect(() => controller.observe(Number.NaN, 64)).toThrow(/KL of a batch .*NaN/);
    expect(() => controller.restore({ coefficient: Number.NaN })).toThrow(/0 or more, got NaN/);
    expect(controller.coefficient).toBe(0.2);
  });
});

describe('FixedKlController', () => {
  it('stays constant, may be 0, and is restored', () => {
    const controller = new FixedKlController(0);
    controller.observe();
    expect(controller.coefficient).toBe(0);
    controller.restore({ coefficient: 0.3 });
    expect(controller.state()).toEqual({ coefficient: 0.3 });
    expect(() => new FixedKlController(-1)).toThrow(/0 or more, got -1/);
  });
});
