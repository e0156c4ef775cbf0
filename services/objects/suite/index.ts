export { type OpenStore, type StoreUnderTest, storeSuite } from './store-suite.ts';
