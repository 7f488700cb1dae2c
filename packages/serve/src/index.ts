/** Serves language models and their adapters behind the OpenAI API. */
export { ApiError } from './api-error.ts';
export type { Adapters, ServedModel } from './engine/adapters.ts';
export type { Engine, EngineLimits, Generation } from './engine/engine.ts';
export { type Server, type ServerOptions, startServer } from './start-server.ts';
