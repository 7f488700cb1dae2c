export type FileFormat = 'jsonl' | 'json' | 'parquet' | 'csv' | 'tsv';

export interface DetectedFormat {
  format: FileFormat;
  gzip: boolean;
}

const endings: Record<string, DetectedFormat> = {
  '.parquet': { format: 'parquet', gzip: false },
  '.jsonl': { format: 'jsonl', gzip: false },
  '.ndjson': { format: 'jsonl', gzip: false },
  '.jsonl.gz': { format: 'jsonl', gzip: true },
  '.ndjson.gz': { format: 'jsonl', gzip: true },
  '.json': { format: 'json', gzip: false },
  '.json.gz': { format: 'json', gzip: true },
  '.csv': { format: 'csv', gzip: false },
  '.tsv': { format: 'tsv', gzip: false },
};

/** The endings of file names that rows are read from. */
export const dataFileEndings = Object.keys(endings);

/** The format that a file's name ends with, or null where it is none of ours. */
export const formatOf = (path: string): DetectedFormat | null => {
  const name = path.toLowerCase();
  const ending = dataFileEndings.find((candidate) => name.endsWith(candidate));
  return ending === undefined ? null : endings[ending]!;
};
