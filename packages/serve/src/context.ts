import type { Adapters } from './engine/adapters.ts';
import type { Engine } from './engine/engine.ts';
import type { ServerMetrics } from './metrics/server-metrics.ts';
import type { TokenTexts } from './protocol/token-text.ts';

/** What the routes work with. */
export interface ServerContext {
  engine: Engine;
  adapters: Adapters;
  metrics: ServerMetrics;
  texts: TokenTexts;
  /** Largest number of tokens of prompt and answer. */
  context: number;
  /** Identifies the weights. */
  fingerprint: string;
  /** Whether clients may load and unload adapters. */
  adapterLoading: boolean;
  /** Adapters must be below this folder, which relative paths start at; null: anywhere. */
  adapterFolder: string | null;
}
