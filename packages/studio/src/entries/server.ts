// @keel/studio/server: the web application, and the people who can sign in to it.
export {
  type Invitation,
  type Member,
  People,
  PeopleError,
  type PeopleOptions,
  type Person,
  type Role,
} from '../people/people.ts';
export { type Studio, type StudioOptions, startStudio } from '../server/start-studio.ts';
