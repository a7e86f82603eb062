namespace KeepFs.Engine.Volumes;

/// <summary>Hears what a volume does to the service behind it, for metrics (keepstore-http.md 13). Safe for concurrent use.</summary>
public interface IVolumeTraffic
{
    /// <summary>An operation starts, such as <c>get</c>.</summary>
    void Began(string operation);

    /// <summary>One failed; absence is no failure.</summary>
    void Failed(string errorType);

    /// <summary>Bytes of blocks came in.</summary>
    void Received(long bytes);

    /// <summary>Bytes of blocks went out.</summary>
    void Sent(long bytes);
}
