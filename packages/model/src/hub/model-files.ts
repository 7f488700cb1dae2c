// Which of a hub repository's files are the model: weights of other frameworks and other precisions
// stay there.

export interface HubFile {
  path: string;
  /** Bytes. */
  size: number;
}

/** The hub answered, and the repository holds no model that Keel can read. */
export class NotAModel extends Error {}

const besideWeights =
  /^(?:(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json|chat_template\.jinja|additional_chat_templates\/[\w.-]+\.jinja|merges\.txt|(?:tokenizer|spiece)\.model)$/;
const single = 'model.safetensors';
const shards = /^model(?:\.safetensors\.index\.json|-\d{5}-of-\d{5}\.safetensors)$/;

/**
 * The files that Keel reads of a repository's top folder.
 * @throws NotAModel saying what the repository lacks
 */
export function modelFilesOf(files: readonly HubFile[]): HubFile[] {
  const has = (name: string): boolean => files.some(({ path }) => path === name);
  if (!has('config.json')) {
    throw new NotAModel(
      has('adapter_config.json')
        ? 'holds an adapter, not a model: download it, and give its folder as --adapter and its base as --model'
        : 'has no config.json: it is no model that transformers saved',
    );
  }
  if (!has(single) && !has(`${single}.index.json`)) {
    throw new NotAModel(
      `has neither ${single} nor ${single}.index.json: save it with transformers' save_pretrained and give that folder`,
    );
  }
  const isWeights = (path: string): boolean => (has(single) ? path === single : shards.test(path));
  return files.filter(({ path }) => besideWeights.test(path) || isWeights(path));
}
