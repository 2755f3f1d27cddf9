namespace AgentPlatform.Data.Tenancy;

/// <summary>Limits of invitations, whoever makes them.</summary>
public static class InvitationLimits
{
    /// <summary>Most open invitations of one organization.</summary>
    public const int MaxOpen = 500;

    /// <summary>For how many days one can be accepted, unless the setting <c>INVITATION_DAYS</c> says otherwise.</summary>
    public const double Days = 7;
}
