using System.Data.Common;

namespace Orleans.Configuration;

/// <summary>Where the membership of the cluster is kept. Accepted: there is one silo, and it keeps none.</summary>
public class AdoNetClusteringSiloOptions
{
    /// <summary>The connection string; this or <see cref="DataSource"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The data source; this or <see cref="ConnectionString"/>. It stays the caller's.</summary>
    public DbDataSource? DataSource { get; set; }

    /// <summary>The name of the ADO.NET provider: <c>Npgsql</c>.</summary>
    public string Invariant { get; set; } = null!;
}

/// <summary>Where a client finds the cluster. Accepted: this runtime has no clients.</summary>
public class AdoNetClusteringClientOptions
{
    /// <summary>The connection string; this or <see cref="DataSource"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The data source; this or <see cref="ConnectionString"/>. It stays the caller's.</summary>
    public DbDataSource? DataSource { get; set; }

    /// <summary>The name of the ADO.NET provider: <c>Npgsql</c>.</summary>
    public string Invariant { get; set; } = null!;
}

/// <summary>Where reminders are kept.</summary>
public class AdoNetReminderTableOptions
{
    /// <summary>The name of the ADO.NET provider: <c>Npgsql</c>.</summary>
    public string Invariant { get; set; } = null!;

    /// <summary>The connection string; this or <see cref="DataSource"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The data source; this or <see cref="ConnectionString"/>. It stays the caller's.</summary>
    public DbDataSource? DataSource { get; set; }
}

/// <summary>Where a grain storage keeps its states.</summary>
public class AdoNetGrainStorageOptions
{
    /// <summary>The name of the ADO.NET provider: <c>Npgsql</c>.</summary>
    public string Invariant { get; set; } = "Microsoft.Data.SqlClient";

    /// <summary>The connection string; this or <see cref="DataSource"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The data source; this or <see cref="ConnectionString"/>. It stays the caller's.</summary>
    public DbDataSource? DataSource { get; set; }

    /// <summary>The stage of the silo's start at which the storage is made ready.</summary>
    public int InitStage { get; set; } = ServiceLifecycleStage.ApplicationServices;

    /// <summary>Whether clearing a state removes its row. Default false: the row keeps its version.</summary>
    public bool DeleteStateOnClear { get; set; }
}

/// <summary>A grain storage in memory, for tests; it ends with the process.</summary>
public class MemoryGrainStorageOptions
{
    /// <summary>Accepted; one store holds all.</summary>
    public int NumStorageGrains { get; set; } = 10;

    /// <summary>The stage of the silo's start at which the storage is made ready.</summary>
    public int InitStage { get; set; } = ServiceLifecycleStage.ApplicationServices;
}
