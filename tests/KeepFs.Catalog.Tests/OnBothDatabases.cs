namespace KeepFs.Catalog.Tests;

// Every suite runs on both databases.

public sealed class FilterTestsOnSqlite(FilterTests.SqliteData data) : FilterTests(data), IClassFixture<FilterTests.SqliteData>;

public sealed class FilterTestsOnPostgres(FilterTests.PostgresData data) : FilterTests(data), IClassFixture<FilterTests.PostgresData>;

public sealed class CheckpointTestsOnSqlite() : Checkpoints.CheckpointTests(DatabaseKind.Sqlite);

public sealed class CheckpointTestsOnPostgres() : Checkpoints.CheckpointTests(DatabaseKind.Postgres);

public sealed class CollectionTestsOnSqlite() : CollectionTests(DatabaseKind.Sqlite);

public sealed class CollectionTestsOnPostgres() : CollectionTests(DatabaseKind.Postgres);

public sealed class DavTestsOnSqlite() : DavTests(DatabaseKind.Sqlite);

public sealed class DavTestsOnPostgres() : DavTests(DatabaseKind.Postgres);

public sealed class EventTestsOnSqlite() : EventTests(DatabaseKind.Sqlite);

public sealed class EventTestsOnPostgres() : EventTests(DatabaseKind.Postgres);

public sealed class ExchangeTestsOnSqlite() : ExchangeTests(DatabaseKind.Sqlite);

public sealed class ExchangeTestsOnPostgres() : ExchangeTests(DatabaseKind.Postgres);

public sealed class PermissionGraphTestsOnSqlite() : PermissionGraphTests(DatabaseKind.Sqlite);

public sealed class PermissionGraphTestsOnPostgres() : PermissionGraphTests(DatabaseKind.Postgres);

public sealed class PermissionTestsOnSqlite() : PermissionTests(DatabaseKind.Sqlite);

public sealed class PermissionTestsOnPostgres() : PermissionTests(DatabaseKind.Postgres);

public sealed class PythonClientTestsOnSqlite() : PythonClientTests(DatabaseKind.Sqlite);

public sealed class PythonClientTestsOnPostgres() : PythonClientTests(DatabaseKind.Postgres);

public sealed class ReplaceFilesTestsOnSqlite() : ReplaceFilesTests(DatabaseKind.Sqlite);

public sealed class ReplaceFilesTestsOnPostgres() : ReplaceFilesTests(DatabaseKind.Postgres);

public sealed class ReplaceSegmentsTestsOnSqlite() : ReplaceSegmentsTests(DatabaseKind.Sqlite);

public sealed class ReplaceSegmentsTestsOnPostgres() : ReplaceSegmentsTests(DatabaseKind.Postgres);

public sealed class ResetTestsOnSqlite() : ResetTests(DatabaseKind.Sqlite);

public sealed class ResetTestsOnPostgres() : ResetTests(DatabaseKind.Postgres);

public sealed class ServerTestsOnSqlite() : ServerTests(DatabaseKind.Sqlite);

public sealed class ServerTestsOnPostgres() : ServerTests(DatabaseKind.Postgres);

public sealed class TokenTestsOnSqlite() : TokenTests(DatabaseKind.Sqlite);

public sealed class TokenTestsOnPostgres() : TokenTests(DatabaseKind.Postgres);

public sealed class ExposureTestsOnSqlite() : ExposureTests(DatabaseKind.Sqlite);

public sealed class ExposureTestsOnPostgres() : ExposureTests(DatabaseKind.Postgres);

public sealed class QuotaTestsOnSqlite() : QuotaTests(DatabaseKind.Sqlite);

public sealed class QuotaTestsOnPostgres() : QuotaTests(DatabaseKind.Postgres);

public sealed class ReferenceTestsOnSqlite() : ReferenceTests(DatabaseKind.Sqlite);

public sealed class ReferenceTestsOnPostgres() : ReferenceTests(DatabaseKind.Postgres);

public sealed class RequestFuzzTestsOnSqlite() : Fuzz.RequestFuzzTests(DatabaseKind.Sqlite);

public sealed class RequestFuzzTestsOnPostgres() : Fuzz.RequestFuzzTests(DatabaseKind.Postgres);

public sealed class RandomFilterTestsOnSqlite() : Fuzz.RandomFilterTests(DatabaseKind.Sqlite);

public sealed class RandomFilterTestsOnPostgres() : Fuzz.RandomFilterTests(DatabaseKind.Postgres);

public sealed class InjectionTestsOnSqlite() : Fuzz.InjectionTests(DatabaseKind.Sqlite);

public sealed class InjectionTestsOnPostgres() : Fuzz.InjectionTests(DatabaseKind.Postgres);

public sealed class VersionModelTestsOnSqlite() : Fuzz.VersionModelTests(DatabaseKind.Sqlite);

public sealed class VersionModelTestsOnPostgres() : Fuzz.VersionModelTests(DatabaseKind.Postgres);
