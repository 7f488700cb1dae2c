// What the device for tests promises: values of the CPU, and errors where a GPU has them.
import { beforeAll, describe, expect, it } from 'vitest';
import { arange, manualSeed, ops, randn, type Tensor, tensor, tidy } from './index.ts';
import { addShadowDevice, type ShadowDevice } from './testing/shadow-device.ts';

let shadow: ShadowDevice;
beforeAll(async () => {
  shadow = await addShadowDevice();
}, 300_000);

const device = 'shadow';

describe('the device for tests', () => {
  it('computes what the CPU computes, with gradients', () => {
    const found = (place: string) =>
      tidy(() => {
        const rows = [
          [1, -2, 3],
          [0.5, 4, 1],
        ];
        const given = tensor(rows, { device: place }).setRequiresGrad();
        const weight = tensor([2, 1, 0.5], { device: place });
        const sum = ops.rmsNorm(given.matmul(given.t().matmul(given)), weight, 1e-5);
        sum
          .mul(arange(3, { dtype: 'float32', device: place }))
          .sum()
          .backward();
        return { values: sum.toArray(), gradient: given.grad!.toArray() };
      });
    const [here, there] = [found(device), found('cpu')];
    here.values.forEach((value, at) => {
      expect(value).toBeCloseTo(there.values[at]!, 5);
    });
    here.gradient.forEach((value, at) => {
      expect(value).toBeCloseTo(there.gradient[at]!, 5);
    });
    expect(Math.max(...there.gradient.map(Math.abs))).toBeGreaterThan(0.01);
  });

  it('has views, operators in place, and results in several tensors', () => {
    tidy(() => {
      const whole = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      );
      const [first] = whole.split([1, 1], 0) as [Tensor, Tensor];
      first.fill_(9);
      expect(whole.device).toBe('shadow:0');
      expect(whole.t().reshape(-1).toArray()).toEqual([9, 3, 9, 4]);
      const [values, places] = ops.topk(whole, 1);
      expect([values.toArray(), places.toArray()].flat()).toEqual([9, 4, 0, 1]);
    });
  });

  it('draws the random numbers of the CPU', () => {
    const drawn = (place: string): number[] => {
      manualSeed(5, place);
      return tidy(() => randn([4], { device: place }).toArray());
    };
    expect(drawn(device)).toEqual(drawn('cpu'));
  });

  it('refuses a tensor of the CPU next to its own', () => {
    const both = (body: (here: Tensor, there: Tensor) => unknown) => () =>
      tidy(() => body(tensor([[1, 2]], { device }), tensor([[1, 2]])));
    const refused = /Expected all tensors to be on the same device/;
    expect(both((here, there) => here.add(there))).toThrow(refused);
    expect(both((here, there) => there.mul(here))).toThrow(refused);
    expect(both((here, there) => here.matmul(there.t()))).toThrow(refused);
    expect(both((here) => here.add(tensor(1)))).toThrow(refused);
    expect(both((here) => here.indexSelect(1, arange(1)))).toThrow(refused);
    expect(both((here) => ops.rmsNorm(here, tensor([1, 1]), 1e-5))).toThrow(/same device/);
    expect(both((here) => here.add(1))).not.toThrow();
  });

  it('counts what a GPU would wait for', () => {
    tidy(() => {
      const here = tensor([[1, 0]], { device });
      shadow.takeCounts();
      here.sum().item();
      here.toArray();
      ops.nonzero(here);
      here.copy_(tensor([[3, 4]]));
      expect(shadow.takeCounts()).toEqual({ scalars: 1, toHost: 1, fromHost: 1, sizes: 1 });
      here.mul(tensor([[5, 6]], { device })).sum();
      expect(shadow.takeCounts()).toEqual({ scalars: 0, toHost: 0, fromHost: 0, sizes: 0 });
    });
  });
});
