// The reward for both sides of benchmarks/grpo-vs-trl.ts: answers of about 200 characters.
import type { FunctionInput } from '@keel/align/rewards';

export default ({ text }: FunctionInput): number => -Math.abs(text.length - 200) / 200;
