// @keel/evaluate/attacks: the attacks of `keel audit` by name. Loads no model.
import { attacks } from '../hacking/attacks/attacks.ts';

export const attackNames: readonly string[] = attacks.map(({ name }) => name);
