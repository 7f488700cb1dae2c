// Types of locate-libtorch.mjs, for TypeScript.

export interface LibTorch {
  /** Folder with lib, include and share. */
  root: string;
  /** As LibTorch writes it, for example 2.13.0+cpu. */
  version: string;
  /** CUDA version of the build; null without CUDA. */
  cuda: string | null;
  cxx11abi: true;
  /** Where it was found. */
  source: 'KEEL_LIBTORCH' | 'python' | 'cache';
}

type Environment = Readonly<Record<string, string | undefined>>;

export const LIBTORCH_VERSION: string;
export const SUPPORTED: { major: number; oldest: number; newest: number };
/** Folder of Keel's downloads. */
export function cacheFolder(env?: Environment): string;
export function cachedLibtorch(env?: Environment): string;
export function pythonCommand(env?: Environment): string;
/** @throws Error if the LibTorch that KEEL_LIBTORCH names cannot be used */
export function locateLibtorch(how?: {
  env?: Environment;
  note?(text: string): void;
}): LibTorch | null;
export function inspectLibtorch(root: string): Omit<LibTorch, 'source'>;
/** Folder of compiled addons, in a clone or in Keel's cache. */
export function addonFolder(env?: Environment): string;
/** The addon that is built now; null if there is none. */
export function currentBuild(folder?: string): { addon: string; torch: LibTorch } | null;
/**
 * Null if nothing is built.
 * @throws Error if the addon was compiled for a LibTorch other than KEEL_LIBTORCH
 */
export function addonPath(env?: Environment, folder?: string): string | null;
