import type { EngineObserver } from '../engine/engine.ts';
import { Counter, gauge, Histogram } from './prometheus.ts';

/** What the server counts. */
export class ServerMetrics implements EngineObserver {
  readonly #http = new Counter('keel_http_requests_total', 'Requests by route and status.');
  readonly #prompt = new Counter('keel_prompt_tokens_total', 'Tokens of prompts.');
  readonly #reused = new Counter(
    'keel_prompt_tokens_reused_total',
    'Tokens of prompts that were in the cache.',
  );
  readonly #generated = new Counter('keel_generation_tokens_total', 'Tokens that were generated.');
  readonly #answers = new Counter('keel_answers_total', 'Answers by the reason why they ended.');
  readonly #errors = new Counter('keel_step_errors_total', 'Steps of the model that failed.');
  readonly #first = new Histogram(
    'keel_time_to_first_token_seconds',
    'Seconds from a request to its first token.',
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  );
  readonly #whole = new Histogram(
    'keel_request_duration_seconds',
    'Seconds from a request to its last token.',
    [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  );

  readonly #log: (error: unknown) => void;

  /** @param log receives errors of the model */
  constructor(log: (error: unknown) => void) {
    this.#log = log;
  }

  http(route: string, status: number): void {
    this.#http.add(1, { route, status: String(status) });
  }
  prompt(tokens: number, reused: number): void {
    this.#prompt.add(tokens);
    this.#reused.add(reused);
  }
  firstToken(seconds: number): void {
    this.#first.observe(seconds);
  }
  token(): void {
    this.#generated.add();
  }
  answer(finishReason: string): void {
    this.#answers.add(1, { reason: finishReason });
  }
  request(seconds: number): void {
    this.#whole.observe(seconds);
  }
  failed(error: unknown): void {
    this.#errors.add();
    this.#log(error);
  }

  /** All of it in Prometheus' text format. */
  text({ live, waiting, retained }: { live: number; waiting: number; retained: number }): string {
    return [
      gauge('keel_answers_running', 'Answers that are being generated.', live),
      gauge('keel_answers_waiting', 'Answers that wait for a place in the batch.', waiting),
      gauge('keel_prompt_tokens_retained', 'Prompt tokens in the cache for reuse.', retained),
      gauge(
        'process_resident_memory_bytes',
        'Resident memory in bytes.',
        process.memoryUsage.rss(),
      ),
      ...[this.#http, this.#prompt, this.#reused, this.#generated, this.#answers, this.#errors],
      ...[this.#first, this.#whole],
    ].join('');
  }
}
