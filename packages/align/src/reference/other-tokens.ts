// A reference gets the token ids of the policy, so both need the same tokens.
import type { Tokenizer } from '@keel/model';

/** A model's tokens, and the option that names it. */
export interface NamedTokens {
  tokenizer: Tokenizer;
  /** `--model runs/dpo`, for messages. */
  option: string;
}

/** @throws Error if an id is another token in the reference than in the policy */
export function refuseOtherTokens(reference: NamedTokens, policy: NamedTokens): void {
  const [there, here] = [reference.tokenizer, policy.tokenizer];
  const ids = Math.max(there.vocabSize, here.vocabSize);
  for (let id = 0; id < ids; id++) {
    const [other, own] = [there.idToToken(id), here.idToToken(id)];
    if (other === own) continue;
    throw new Error(
      `${reference.option} and ${policy.option} have different tokens: id ${id} is ${JSON.stringify(other)} in the reference and ${JSON.stringify(own)} in the model. Use a reference of the same family`,
    );
  }
}
