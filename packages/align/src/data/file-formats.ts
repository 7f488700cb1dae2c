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

/** The file name endings of the supported formats. */
export const dataFileEndings = Object.keys(endings);

/** The format of a file by the ending of its name, or null if it is not supported. */
export const formatOf = (path: string): DetectedFormat | null => {
  const name = path.toLowerCase();
  const ending = dataFileEndings.find((candidate) => name.endsWith(candidate));
  return ending === undefined ? null : endings[ending]!;
};
