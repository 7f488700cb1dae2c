// Compiles the addon for the machine's LibTorch, and loads it.
import { join } from 'node:path';
import { provideEngine } from '@keel/torch/setup';
import { gpuName, type PartOptions, type PartResult } from './parts.ts';

export async function build({ device, folder }: PartOptions): Promise<PartResult> {
  await provideEngine({ logs: join(folder, 'logs'), node: process.execPath });
  const { addonBuild, ones, torchBuild } = await import('@keel/torch');
  const { version, cuda, cudaDevices, cpuCapability } = torchBuild();
  const sum = ones([1000], { device }).sum().item();
  return {
    passed: sum === 1000,
    found: { version, cuda, cudaDevices, cpuCapability, addon: addonBuild(), gpu: gpuName() },
  };
}
