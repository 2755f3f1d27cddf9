using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Secrets;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Accounts in other CRMs, and the application's keys for them.</summary>
internal static class CrmConnectionResource
{
    private static readonly string[] Providers = ["kommo"];

    public static readonly Resource Connections = new()
    {
        Path = "crm-connections",
        KnownBy = ["baseDomain"],
        Singular = "crmConnection",
        Plural = "crmConnections",
        Table = "crm_connections",
        Description = "Accounts in other CRMs. Tokens go in and never come out.",
        Read = Role.Manager,
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Choice("provider", Providers).WithDefault("kommo").Fixed().Filtered(),
            Matching("baseDomain", "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", "the account's host name in lower case, such as example.kommo.com", "example.kommo.com", 253).Required().Fixed(),
            HeaderSecret("accessToken").Required().Secret(),
            HeaderSecret("refreshToken").Nullable().Secret(),
            Timestamp("expiresAt").Nullable(),
            Tags("scope", 50, 200),
            Text("accountId", 200).Nullable(),
            Json("metadata"),
        ],
        Uniques = [new("one_connection_per_account", "baseDomain", "There is a connection to this account: change it.")],
        BeforeWrite = change => Seal(change, ("accessToken", SealedColumns.CrmAccessToken), ("refreshToken", SealedColumns.CrmRefreshToken)),
    };

    public static readonly Resource Credentials = new()
    {
        Path = "crm-credentials",
        Singular = "crmCredential",
        Plural = "crmCredentials",
        Table = "crm_credentials",
        Description = "The application's keys for other CRMs, one set for each. The secret goes in and never comes out.",
        Read = Role.Admin,
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Choice("provider", Providers).WithDefault("kommo").Fixed().Filtered(),
            Identifier("clientId", 200).Required(),
            HeaderSecret("clientSecret").Required().Secret(),
            Url("redirectUri").Nullable(),
        ],
        Uniques = [new("one_crm_credential_per_provider", "provider", "There are keys for this CRM: change them.")],
        BeforeWrite = change => Seal(change, ("clientSecret", SealedColumns.CrmClientSecret)),
    };

    private static Task<Problem?> Seal(ResourceChange change, params (string Field, string Purpose)[] secrets)
    {
        foreach (var (field, purpose) in secrets.Where(secret => change.Values.Has(secret.Field)))
        {
            change.Seal(field, purpose);
        }
        return Task.FromResult<Problem?>(null);
    }
}
