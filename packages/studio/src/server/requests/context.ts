// What the routes work with.
import type { ModelServers } from '../../models/model-servers.ts';
import type { People, Person } from '../../people/people.ts';
import type { Rounds } from '../../rounds/rounds.ts';
import type { PreferenceStore } from '../../store/preference-store.ts';
import type { WatchedFolder } from '../../watching/watched-folder.ts';

export interface StudioContext {
  store: PreferenceStore;
  people: People;
  /** Trainings on the labels of projects. */
  rounds: Rounds;
  /** Models that answer on the spot. */
  models: ModelServers;
  /** Training runs. */
  runs: WatchedFolder;
  /** Where the Studio is, for links that people get. */
  url: string;
  /** Largest upload, in bytes. */
  uploadBytes: number;
  /** Receives what went wrong beside a request. */
  log(error: unknown): void;
}

/** What the checks before a route found out. */
export interface StudioEnvironment {
  Variables: { person: Person };
}
