// Selects the files of a hub repository that make up the model. Weights for other frameworks and in
// other precisions are not downloaded.

export interface HubFile {
  path: string;
  /** In bytes. */
  size: number;
}

/** The hub responded, but the repository contains no model that Keel can read. */
export class NotAModel extends Error {}

const besideWeights =
  /^(?:(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json|chat_template\.jinja|additional_chat_templates\/[\w.-]+\.jinja|merges\.txt|(?:tokenizer|spiece)\.model)$/;
const single = 'model.safetensors';
const shards = /^model(?:\.safetensors\.index\.json|-\d{5}-of-\d{5}\.safetensors)$/;

/**
 * The files that Keel reads from a repository's top folder.
 * @throws NotAModel naming what the repository lacks
 */
export function modelFilesOf(files: readonly HubFile[]): HubFile[] {
  const has = (name: string): boolean => files.some(({ path }) => path === name);
  if (!has('config.json')) {
    throw new NotAModel(
      has('adapter_config.json')
        ? 'contains an adapter, not a model. Download it, and pass its folder as --adapter and its base as --model'
        : 'has no config.json: it is not a model saved by transformers',
    );
  }
  if (!has(single) && !has(`${single}.index.json`)) {
    throw new NotAModel(
      `has neither ${single} nor ${single}.index.json. Save the model with transformers' save_pretrained and pass that folder`,
    );
  }
  const isWeights = (path: string): boolean => (has(single) ? path === single : shards.test(path));
  return files.filter(({ path }) => besideWeights.test(path) || isWeights(path));
}
