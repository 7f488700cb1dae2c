// @keel/studio/server: the web application.
export { type Studio, type StudioOptions, startStudio } from '../server/start-studio.ts';
