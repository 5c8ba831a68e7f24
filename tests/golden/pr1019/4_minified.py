import faulthandler,hashlib as K,io,lzma,numpy as L,os as s,signal,subprocess,sys as d,time as h,torch as e,torch.distributed as r,torch.nn.functional as c,traceback
from functools import partial as u
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as M
from typing import NamedTuple as a
def el(o,t):
 if not o.s:return t,
 e=range(o.shape[0]//len(o.s));return tuple(a.format(n)for a in o.s for n in e)
def y(s):
 l=[]
 for o in s:
  if o.s:
   e=range(o.shape[0]//len(o.s))
   for(a,i)in zip(o.s,o.init,strict=True):l+=[(a.format(n),i,o)for n in e]
  else:l+=[(t,o.init,o)for t in o.r()]
 return l
def ed(r,s,u):
 for o in s:
  d=u if o.dtype=='activation'else e.float32
  for t in o.r():
   *l,h=t.split('.');a=r
   for n in l:
    if n not in a._modules:a.add_module(n,M.ModuleList())
    a=a._modules[n]
   a.register_parameter(h,M.Parameter(e.empty(o.shape,dtype=d,device=i)))
def ec(t):n=K.sha256(f"{U}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def eu(s,r):
 a=b(g.state_dict(),s)
 for(t,i,p)in y(s):o=e.empty(a[t].shape);i(o,ec(t),r);a[t].copy_(o)
def b(a,s):
 h=[]
 for o in s:
  for t in o.r():h+=a[t].unbind()if o.s else[a[t]]
 return{t:i for((t,p,p),i)in zip(y(s),h,strict=True)}
def v(tensor,generator,ledger):tensor.zero_()
def k(tensor,generator,ledger):tensor.fill_(1.)
def x(tensor,generator,ledger,value):tensor.fill_(value)
def em(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def ef():
 t=s.environ.get;o=int(t('RANK',0));a=int(t('WORLD_SIZE',1));l=int(t('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8, the micro-batches of a step")
 return o,a,l
def ep():
 global i,oK,m,n;o,a,l=ef();t='gloo';s=e.device('cpu')
 if e.cuda.is_available():t='nccl';s=e.device('cuda',l);e.cuda.set_device(s)
 if a>1:r.init_process_group(t)
 m=o;n=a;oK=l;i=s
def eg():
 if n>1:r.destroy_process_group()
def ew(i):
 if n>1:r.all_reduce(i)
 return i
def ey(value):
 a=[value]*n
 if n>1:r.all_gather_object(a,value)
 return a
def eb(value):
 if n==1:return value
 a=e.tensor(value,dtype=e.float64,device=i);r.all_reduce(a,r.ReduceOp.MAX);return a.item()
def ev(i):
 if i.grad is None:i.grad=e.zeros_like(i)
 return i.grad
def ek(h):
 a=[ev(i)for i in h]
 if n>1:
  t=e.cat([l.flatten()for l in a]);r.all_reduce(t);o=(t/n).split([l.numel()for l in a])
  for(l,u)in zip(a,o,strict=True):l.copy_(u.view_as(l))
def ex(t,s):
 if n>1:return r.reduce_scatter(t,list(s.chunk(n)),async_op=True)
 t.copy_(s)
def ej(s,t):
 if n>1:return r.all_gather(list(s.chunk(n)),t,async_op=True)
 s.copy_(t)
def eq(e):
 if e is not None:e.wait()
def ez():
 t=''
 try:od()
 except(OSError,ValueError)as h:t=f"{ea}: {h}"
 for(o,a)in enumerate(ey(t)):
  if a:raise ValueError(f"{a} (on rank {o})"if o else a)
def eA(a):
 if a is not None:o(f"prepared {ea}: {a}")
class Param(a):
 name:a;shape:a;group:a;q:a;init:a=None;x:a='';dtype:a='float32';layers:a=0;s:a=();reduction:a='replicated';A:a='';u:a=True;F:a=True;export:a='yes'
 def r(e):return[e.name.format(n)for n in range(e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class j:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def i(e,o,a):e.done[o,'']=a
 def z(e,o):return', '.join(f"{n} {a}".strip()for((t,a),n)in e.done.items()if t==o and n)
def eB(o,n,a):return(o/q(n)).round().clamp(-a,a).to(e.int8)
def q(n):return n[:,None]if n.ndim else n
def eC(o,n,a):return(o.float()*q(n).float()).to(a)
def eD(o):
 if o.ndim==2:n=(o.abs().amax(1)/31).clamp_min(1/31)
 else:n=o.abs().amax()/31;n=n if n>0 else n+1
 n=n.half();return eB(o,n.float(),31),n
def eE(o):
 if o.ndim==2:t=e.quantile(o.abs(),.9999984,1);n=(t/127).clamp_min(1/127);a=n.half()
 else:t=e.quantile(o.abs().flatten(),.9999984);a=n=t/127 if t>0 else t+1
 t=q(t);return eB(o.clamp(-t,t),n,127),a
def eF(o,a):
 if'kept'in o:return o['kept'].to(a)
 return eC(o['codes'],o['step'],a)
def z(t,n):
 a=s.environ.get(t,n)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {n!r}")from None
def eG():
 a=s.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eH():global Q,R,f,S,ob,T,U,V,ov,ok;t=s.environ.get;Q=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');R='export'in d.argv;f=z('ITERATIONS',20000);S=eG();ob=t('RUN_ID',str(h.time_ns()));T='score'in d.argv;U=z('SEED',1337);V=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ov=z('TRAIN_LOG_EVERY',200);ok=z('VAL_LOSS_EVERY',1000)
class Score(a):val_loss:a;l:a;B:a;p:a
def eI(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eJ(n):o=w[n].to(i,e.int64);a=o[:,:-1].contiguous();return a,o[:,1:].contiguous(),eK(a)
def eK(o):return{}
def eL(t,g,n,s):
 d=n[:,1:];t[d[s]]=g;a,l,h=eJ(n)
 with e.set_grad_enabled(False):c=oq(a,l,phases=tG(),fields=h,reduction='none',adapter=None)
 r=aI(a,l,d.to(i));p=s.to(i);o=c.detach().double()*p,p,r*p;return c,e.stack([u.sum().double()for u in o])
def eM(t,a):
 if n>1:t=t.to(i);r.all_reduce(t,a)
 return t.cpu()
def eN(t,l,u):
 eI(1+(t[1:]==0).nonzero().flatten());o,n,a=ew(l).tolist()
 if n>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(o/n,o/.6931471805599453/a,int(n),1e3*(h.perf_counter()-u))
def eO(scored_at):
 if m==0:l=f"logs/{ob}.scores.npz";L.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;C:a
def eP(a):return[Span(o,o+2048,0)for o in range(0,(a-1)//2048*2048,2048)]
def eQ(a):return a[len(a)*m//n:len(a)*(m+1)//n]
def eR(a):
 n=e.zeros(ei,2049,dtype=e.int64);s=e.zeros(ei,2048,dtype=e.bool)
 for(l,(o,t,i))in enumerate(a):n[l,:t+1-o]=e.arange(o,t+1);s[l,i:t-o]=True
 return n,s
def A(a):
 u=h.perf_counter();g.eval();a=eQ(a);t=e.zeros(len(w),dtype=e.int32);l=e.zeros(3,dtype=e.float64,device=i)
 for(d,p)in enumerate(range(0,len(a),ei),1):
  n,s=eR(a[p:p+ei]);l+=eL(t,d,n,s)[1]
  if d%100==0:o(f"eval: batch {d}")
 g.train();t=eM(t,r.ReduceOp.MAX);return eN(t,l,u),t
def eS():return{t:o.q for(t,p,o)in y(ee)if o.export!='drop'}
def eT(a,s,d=0):
 e=eS();n={}
 for(t,l)in e.items():i=a[t];h=s.get(t,{});o=P[l].encode(t,i,h,p);n[t]={r:u.cpu()for(r,u)in o.items()}
 return eU(n)
def eU(n):return n
def eV(n):return az(aD(n))
def eW(data,a):
 t=2**20+sum(8*i.numel()+4096 for i in a.values())
 try:return aE(aA(data,t))
 except Exception as h:raise ValueError(f"the artifact cannot be read: {h}")from h
def eX(t,o,l,a):i=P[l].decode(t,o,a);return i
def eY(n,a):
 e=eS()
 if n.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,l)in e.items():
  try:i=eZ(t,n[t],l,a[t].dtype)
  except Exception as h:raise ValueError(f"the artifact's {t} cannot be decoded: {h!r}")from h
  if i.shape!=a[t].shape:raise ValueError(f"{t}: shape {[*i.shape]}, wanted {[*a[t].shape]}")
  a[t].copy_(i)
def eZ(t,o,l,a):return eX(t,o,l,a)
def te(a):
 global W,X,ox;ox=m;W=m==0;t('logs').mkdir(exist_ok=True);X=t('logs',a+'.txt')
 if W and not R:X.write_text('')
 d.excepthook=u(ta,X);faulthandler.register(signal.SIGTERM,X.open('a'),chain=True)
def o(a):
 if W:
  print(a,flush=True)
  with X.open('a')as n:print(a,file=n)
def tt(a):
 if W:o(f"error: {a}")
 elif a not in X.read_text():
  with X.open('a')as n:print(f"rank {ox}: error: {a}",file=n)
def ta(path,kind,error,trace):
 with path.open('a')as n:traceback.print_exception(error,file=n)
 d.__excepthook__(kind,error,trace)
def to():
 n=K.sha256(t(d.argv[0]).read_bytes()).hexdigest();a=f"hardware:{s.uname().machine} CPU, {e.get_num_threads()} threads"
 if i.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 o(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{a}")
def B():return len(t(d.argv[0]).read_bytes())
oc='final_model.pt'
def C():return P['mlp'].name
def ti():return t(f"final_model.{C()}.ptz")
def tn(n):
 a=b(g.state_dict(),ee)
 if m==0:t('final_export.pt').unlink(missing_ok=True);D(u(e.save,a),'final_model.pt')
 s=tl()
 if m==0:l=s,p.done,et,eo,Z;D(u(e.save,l),'final_export.pt')
 ts(a,s)
def ts(a,s):
 i=tH();l('diagnostic','val');o(f"diagnostic pre-quantization post-ema val_loss:{i.val_loss:.8f} val_bpb:{i.l:.8f} eval_time:{i.p:.0f}ms")
 if m==0:td(a,s)
 eb(.0);tu()
def D(o,l):
 a=t('final_model.tmp')
 try:
  o(a)
  with a.open('rb')as n:s.fsync(n.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def tr():
 global Z,eo,et;a=b(g.state_dict(),ee);n=th('final_model.pt');l=th('final_export.pt');o=[t for t in a if t not in n or n[t].shape!=a[t].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(t,i)in a.items():i.copy_(n[t])
 s,e,et,eo,Z=l;p.done.update(e);tD(Z);ts(a,s)
def th(l):
 try:return e.load(l,i,weights_only=True)
 except OSError:raise
 except Exception as h:raise ValueError(f"{l} is damaged: {str(h)[:99]!r}")from h
def tl():global Y;s={};Y=False;return s
def td(a,s):n=eT(a,s,B());l('quantize','none');r=eV(n);l('compress','none');D(u(t.write_bytes,data=r),ti());e=f"{C()}+lzma";o(f"Serialized model: {t(oc).stat().st_size} bytes\nCode size: {B()} bytes\nSerialized model {e}: {len(r)} bytes\nTotal submission size {e}: {len(r)+B()} bytes")
def tc():
 a=b(g.state_dict(),ee)
 for i in a.values():i.zero_()
 r=ti().read_bytes();n=K.sha256(r).hexdigest()
 if T:
  e=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in e and n not in e:raise ValueError('the artifact is not that of the logs in logs/')
 o('artifact_sha256:'+n);eY(eW(r,a),a)
def tu():a=C();tc();l('decode','none');i,t=A(eP(len(w)));l('score','val');tm(f"{a}_lzma_roundtrip",i);i,t=A(aM(len(w)));l('score','val');tm(f"{a}_sliding_window",i);eO(t);p.count('sliding_eval','targets',i.B)
def tm(e,i):o(f"final_{e} val_loss:{i.val_loss:.4f} val_bpb:{i.l:.4f} eval_time:{i.p:.0f}ms\nfinal_{e}_exact val_loss:{i.val_loss:.8f} val_bpb:{i.l:.8f}")
def tf():
 a=[];n=False
 for t in og:
  e=p.z(t)
  if e and t not in a:o(f"receipt {t}: {e}")
  else:o(f"error: plugin {t} did nothing");n=m==0
 return n
class tp:
 def __init__(e):e.j=None;e.G=None;u=[(g.get_parameter(t),el(o,t),o)for o in ee for t in o.r()];e.tensors=[i for(i,l,o)in u];e.names=[l for(i,l,o)in u];e.replicated=[i for(i,l,o)in u if o.reduction=='replicated'];e.c=[i for(i,l,o)in u if o.u];e.b=[l for(i,l,o)in u if o.u];s=[i for(i,l,o)in u if o.group=='matrix'];r=[l for(i,l,o)in u if o.group=='matrix'];aY(s,r);a=[(n,[i for(i,l,o)in u if o.group==n.name],[l for(i,l,o)in u if o.group==n.name])for n in op];aN(a)
 @e.no_grad()
 def step(e,scalars,ledger):
  for h in of:h(e.tensors,e.names,ledger)
  aZ();ek(e.replicated);aO(scalars,ledger);oe(scalars,ledger)
  for i in e.tensors:i.grad=None
def tg(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tw():return{}
def ty(a,l):return aX(a).contiguous()
def tb(l,a,d):a.mul_(d).add_(l);return l.add(a,alpha=d)
def tv(a):return max(1,a.shape[-2]/a.shape[-1])**.5
class Progress(a):step:a;v:a;f:a;m:a;D:a;o:a
class Scalars(a):o:a;y:a;momentum:a
def tk(n,t,r):o=t/r if r>0 else n/max(f,1);return Progress(n,f,t,r,o,1.)
class Context(a):
 ids:a;phases:a;training:a;n:a;memo:a;fields:a;d:a;g:a;ledger:a
 def t(e,o,a,n=1):
  if e.ledger is not None:e.ledger.count(o,a,n)
def E(a):return c.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tx(a):return c.pad(a[:,:-1],(0,0)*(a.dim()-2)+(1,0))
def tj(o):return o
def tq(o,a,l,n,i,t):
 o=tj(o)
 if t.g is not None:t.g(l,n,a)
 return F(c.linear(a,o.to(a.dtype)),a,l,i,t)
def F(l,a,n,i,t):
 if t.d is not None and n in t.d.sites:l=l+t.d.delta(a,n,i)
 return l
def tz(a,t):
 if'rope'not in t.memo:l=a.size(1);n=a.size(3);s=a.device;i=1e4**(-e.arange(0,n,2,dtype=e.float32,device=s)/n);r=e.outer(e.arange(l,dtype=e.float32,device=s),i);t.memo['rope']=r.cos(),r.sin()
 u,d=(p[None,:,None,:].to(a.dtype)for p in t.memo['rope']);o,h=a.chunk(2,-1);return e.cat((o*u+h*d,h*u-o*d),-1)
class GPT(M.Module):
 def __init__(e,s,u):super().__init__();e.E=None;e.j=None;e.records=s;ed(e,s,u)
 def matrices(e):return b(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tj(ctx.n[f"blocks.{layer}.{role}.weight"])
 def h(e,a,l,n,i,t):return tq(t.n[f"blocks.{n}.{l}.weight"],a,l,n,i,t)
 def stem(e,ids,ctx):a=c.embedding(ids,ctx.n['tok_emb.weight']);a=a+tW(ids,ctx);a=E(a);a=av(a,ctx);return a
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):n=fields or{};l={};fields={**l,**n};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.stem(ids,t);a=E(ab(e,a,a,t));s=ak(a,t);u=an(s,targets,reduction,t);return u
def tA(a):
 a=t(a);n=sorted(l for l in a.parent.glob(a.name)if('_bytes_'in l.name)==('_bytes_'in a.name))
 if not n:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return n
def tB(l):
 a=t(l).stat().st_size;n=L.fromfile(l,'<i4',3).tolist()
 if a<=1024 or n!=[20240520,1,(a-1024)/2]:raise ValueError(f"{l}: {a} bytes and header {n}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return n[2]
def G(l):
 n=L.memmap(l,'<u2','r',1024,tB(l))
 if n.max()>=1024:raise ValueError(f"{l}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tC(a):
 n=L.concatenate([G(l)for l in tA(a)])
 if len(n)<=2048:raise ValueError(f"{a}: {len(n)} tokens, wanted at least 2049")
 return e.from_numpy(n[:(len(n)-1)//2048*2048+1])
def tD(t):global oj;oj=h.perf_counter()-t/1e3
def l(t,data):global Z;a=1e3*(h.perf_counter()-oj);o(f"stage:{t} begin:{Z:.0f}ms end:{a:.0f}ms data:{data}");Z=a
def tE(s,r):global Z,eo,oq,p,g,ee,et,ea,ei,oj,w,Y;ee=s;p=r;et=();ea='';Z=.0;oj=h.perf_counter();eo=False;Y=not(T or R);ei=max(32,1);u=e.bfloat16 if i.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;g=GPT(s,u);eu(s,r);oq=tg(g);a=t(Q,'fineweb_val_*.bin');w=tC(a);aH(r);n=K.sha256(w.numpy().data).hexdigest();o(f"val_loader:shards pattern={a} tokens:{len(w)-1}\nval_sha256:{n}")
def H(r):a=t(Q,'fineweb_train_*.bin');aJ(a,r)
def tF():
 if not Y:raise ValueError('training data are closed: training time is over')
 d=aL();a,l=(u.to(i,non_blocking=True)for u in d);return a,l,{}
def tG():return tuple(n.name for n in()if n.scoring and n.name in et)
def tH():return A(eP(len(w)))[0]
def tI():a=[()];return a
def tJ():
 a,l,h=tF();a,l=a[:1,:512],l[:1,:512];h={t:u[:1,:512]for(t,u)in h.items()};e=tuple(n.name for n in());g(a,l,phases=e,fields=h,ledger=p).backward()
 for o in ee:i=sum(g.get_parameter(t).grad is not None for t in o.r());p.count(o.x,'trained tensors',i)
 g.zero_grad()
def tK():
 a=g.state_dict();l={t:i.clone()for(t,i)in a.items()};d=tp();s=j();H(s)
 for r in tI():
  for n in range(20):tP(d,r,Scalars(1.,1.,.9),s);o(' '.join((f"warmup_step:{n+1}/20",*r)))
 for(t,i)in a.items():i.copy_(l[t])
 e.manual_seed(U);H(p)
def tL(s):
 try:eH();ep();r=j()
 except ValueError as h:print(f"error: {h}",file=d.stderr);d.exit(2)
 a=ey(ob)[0];te(a);e.manual_seed(U);e.backends.cuda.matmul.allow_tf32=True
 if S==0:tN()
 to();o('plugins:'+' '.join(og));tM(s,r)
 if Y:
  tO();tJ();tK();n=tS()
  try:tn(n)
  except(OSError,ValueError)as h:tt(str(h));d.exit(f"error: rank {m}: {h}")
 t=not T and(tf()or eo);eg()
 if t:d.exit(1)
def tM(s,r):
 global et
 try:
  tE(s,r);ez()
  if R:tr()
  elif T:et=tuple(n.name for n in());tu()
  else:H(j())
  return
 except(OSError,ValueError)as h:
  tt(str(h))
  if not R:eg()
  d.exit(2)
def tN():s.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tO():o(f"model_params:{sum(i.numel()for i in g.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{U}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{f} warmup_steps:20 max_wallclock_seconds:{S:.3f}")
def tP(d,i,s,r):
 t=8//n;o=.0
 for p in range(t):a,l,h=tF();u=oq(a,l,phases=i,fields=h)/t;o+=u.detach();u.backward()
 d.step(s,r);return o
def tQ(n,t,r):
 a=tk(n,t,r);s=Scalars(1.,1.,.0)
 for o in ow:s=o(a,s,p)
 return s
def tR():return 1e3*S
def tS():
 d=tp();aP(d.c,d.b);r=tR();n=0;t=.0;oa()
 while True:
  g=n==f or 0<r<=t
  if g or ok>0 and n%ok==0:
   oo();i=tH();tT(n,f"val_loss:{i.val_loss:.4f} val_bpb:{i.l:.4f}",t)
   if g:break
   oa()
  s=tQ(n,t,r);u=tP(d,et,s,p);n+=1;aQ(d.c,n,s);t=eb(oi(n))
  if ov>0 and(n<=10 or n%ov==0):
   tT(n,f"train_loss:{u:.4f}",t)
   if u!=u:raise ValueError('the training loss is not a number')
 if n<f:o(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{n}/{f}")
 a=e.cuda.max_memory_allocated()>>20;h=e.cuda.max_memory_reserved()>>20;o(f"peak memory allocated: {a} MiB reserved: {h} MiB");aR(d.c);tD(t);l('train','train');return n
def tT(n,a,t):o(f"step:{n}/{f} {a} train_time:{t:.0f}ms step_avg:{t/max(n,1):.2f}ms")
def tU(a,o,l,t):t.t('additive_skips','skips');return a+t.n['skip_weights'][l].to(a.dtype)*o
def tV(a):t=e.bitwise_xor(36313*a[:,1:],27191*a[:,:-1])%3071;return c.pad(t,(1,0),value=3071)
def tW(a,t):t.t('bigram_hash','lookups');r=c.embedding(tV(a),t.n['bigram.embed.weight']);n=c.linear(r,t.n['bigram.proj.weight'].to(r.dtype));return n*t.n['bigram.scale'].to(r.dtype)
def tX(a,o,n,i,t):s=a.h(o,'attn.c_q',n,i,t);r=a.h(o,'attn.c_k',n,i,t);h=a.h(o,'attn.c_v',n,i,t);h=aj(h,n,t);s=al(E(e.unflatten(s,2,(8,-1))),t);r=al(E(e.unflatten(r,2,(4,-1))),t);h=e.unflatten(h,2,(4,-1));s,r=ad(s,r,n,t);l=ai(s,r,h,t);l=aq(l,h,n,t);l=a.h(l.flatten(2),'attn.proj',n,i,t);return F(l,o,'attn',i,t)
def tY(a,e,o):s=a.transpose(1,2);r=e.transpose(1,2);h=o.transpose(1,2);l=s.size(1)!=r.size(1);return c.scaled_dot_product_attention(s,r,h,is_causal=True,enable_gqa=l).transpose(1,2)
def tZ():
 if i.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return aa(),None
def ae(t,a,e,o):l=t(a,e,o,causal=True,window_size=(-1,0));return l[0]if isinstance(l,tuple)else l
def at(t,a,e,o):
 if t is not None:return ae(t,a,e,o)
 return tY(a,e,o)
def aa():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def ao():global om;t,om=tZ();return t
def ai(s,r,h,t):t.t('causal_attention','layers');return at(om,s,r,h)
def an(a,n,reduction,t):t.t('cross_entropy','losses');u=c.cross_entropy(a.flatten(0,1).float(),n.flatten(),reduction=reduction);return u.view_as(n)if reduction=='none'else u
def ar(a,o,n,i,t):t.t('leaky_relu2','layers');e=c.leaky_relu(a.h(o,'mlp.fc',n,i,t),.5).square();return a.h(e,'mlp.proj',n,i,t)
def ah(o,n,t):t.t('ln_scale','branches');a=(n+1)**-.5;return o*a
def I(tensor,generator,ledger):
 if min(tensor.shape)>=64:M.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator)
def al(a,t):t.t('partial_rope','rotations');n=tz(a[...,:16],t);return e.cat((n,a[...,16:]),-1)
def ad(a,e,n,t):t.t('qk_gain','layers');o=t.n[f"blocks.{n}.attn.q_gain"].to(a.dtype);return a*o[:,None],e
def ac(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def au(a,s,n,t):o=t.n[f"blocks.{n}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*s
def am(a,n,t):e=E(a);e=ah(e,n,t);return e
def af(a,o,n,i,t):e=tX(a,o,n,i,t);return t.n[f"blocks.{n}.attn_scale"].to(o.dtype)*e
def ap(a,o,n,i,t):e=F(ar(a,o,n,i,t),o,'mlp',i,t);return t.n[f"blocks.{n}.mlp_scale"].to(o.dtype)*e
def ag(a,e,s,n,i,t):o=au(e[0],s,n,t);o=o+af(a,am(o,n,t),n,i,t);return o+ap(a,am(o,n,t),n,i,t),
def aw(e,o,l,n,t):
 if o is None:return e
 return tU(e[0],o,l,t),*e[1:]
def ay(a,e,s,t):
 r,h=ax();t.t('unet_plan','steps over 11 layers',len(r)+len(h));o=[]
 for(i,n)in enumerate(r):e=ag(a,e,s,n,i,t);o.append(e[0])
 for(l,n)in enumerate(h):e=aw(e,o.pop()if o else None,l,n,t);e=ag(a,e,s,n,len(r)+l,t)
 return e
def ab(a,n,o,t):t.t('sequential_wiring','walks');return ay(a,(n,),o,t)[0]
def av(n,t):t.t('smear_gate','blends');a=e.sigmoid(t.n['smear.gate']).to(n.dtype);return(1-a)*n+a*tx(n)
def ak(n,t):t.t('tied_head','heads');a=tq(t.n['tok_emb.weight'],n,'head',0,0,t);return 3e1*e.tanh(a/3e1)
def ax():e=tuple(range(11));return e[:len(e)//2],e[len(e)//2:]
def aj(e,n,t):
 if n not in(9,10):return e
 t.t('value_embedding','layers')
 if've'not in t.memo:r=c.embedding(t.ids,t.n['ve_shared.embed.weight']);r=c.linear(r,t.n['ve_shared.proj.weight'].to(r.dtype));t.memo['ve']=r*t.n['ve_shared.scale'].to(r.dtype)
 a=t.n[f"ve_layer_scales.{oy.index(n)}"];o=t.memo['ve'];return e+a.to(e.dtype)*o
def aq(a,o,n,t):
 if n<0:return a
 t.t('xsa','layers');l=e.unflatten(a,2,(o.size(2),-1));i=c.normalize(o,dim=-1)[:,:,:,None,:];return(l-(l*i).sum(-1,keepdim=True)*i).flatten(2,3)
def az(data):t=lzma.compress(data,preset=9);p.i('lzma',f"{len(data)} -> {len(t)} bytes");return t
def aA(data,t):
 h=lzma.LZMADecompressor(memlimit=2**27);a=h.decompress(data,t)
 if not h.eof or h.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def aB(n):a=io.BytesIO();l={d.intern(t):{d.intern(r):u for(r,u)in o.items()}for(t,o)in n.items()};e.save(l,a);return a.getvalue()
def aC(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aD(n):r=aB(n);p.i('torch_save',f"{len(n)} tensors in {len(r)} bytes");return r
def aE(data):return aC(data)
def aF():
 try:a=SentencePieceProcessor(V)
 except(OSError,RuntimeError)as h:raise OSError(f"{V}: not a SentencePiece model")from h
 if len(a)>1024:raise ValueError(f"{V} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{V}: U+2581 is not a piece of its own")
 return a
def aG(a):
 r=[(0,0,1)]*1024
 for t in range(len(a)):
  if not(a.is_control(t)or a.is_unknown(t)or a.is_unused(t)):n=a.id_to_piece(t);o=n.startswith('\u2581');r[t]=1 if a.is_byte(t)else len(n.encode())-3*o,o,0
 return e.tensor(r).T
def aH(r):
 global oJ,oI,oz,oH
 if any(t(Q).glob('*_bytes_*')):raise ValueError(f"{Q}: it has byte side files, build with the plugin that reads them")
 a=aG(aF());oH,oI,oJ=a.to(i);oz=r
def aI(t,a,n):oz.count('sentencepiece_bytes','targets',a.numel());r=oH[a]+(oI[a]&~oJ[t]);return r
def aJ(a,r):
 global en,oC,oA,es,oB;en=tA(a)
 for l in en:tB(l)
 oA=m;oB=n;oC=r;es=G(en[0])
def aK(a):
 global es;o=[]
 while a>0:
  if not len(es):en.append(en.pop(0));es=G(en[0])
  o.append(es[:a]);es=es[a:];a-=len(o[-1])
 return L.concatenate(o)
def aL():t=aK(oB*98305).reshape(oB,-1)[oA];t=e.from_numpy(t.astype(int));oC.count('sequential_loader','batches');return t[:-1].reshape(-1,2048),t[1:].reshape(-1,2048)
def aM(a):t=min(64,2048);d=a-1;n=range(0,max(d-(2048-t),1),t);return[Span(p,min(p+2048,d),0 if p==0 else 2048-t)for p in n]
def aN(a):global oD;s=[{'params':h,'spec':n}for(n,h,l)in a];oD=e.optim.AdamW(s,betas=(.9,.95),eps=1e-08,fused=True)
def aO(s,r):
 for n in oD.param_groups:n['lr']=n['spec'].lr*s.o;n['weight_decay']=n['spec'].weight_decay*s.y
 oD.step();r.count('adam','steps')
@e.no_grad()
def aP(h,l):global er,oE;oE=0;er=[i.detach().float().clone()for i in h]
@e.no_grad()
def aQ(h,n,s):global oE;oE+=1;e._foreach_mul_(er,.997);e._foreach_add_(er,[i.detach().float()for i in h],alpha=1-.997)
@e.no_grad()
def aR(h):
 for(i,a)in zip(h,er,strict=True):i.copy_(a)
 p.count('ema','updates',oE)
def aS(tensors,names,ledger,max_norm):M.utils.clip_grad_norm_(tensors,max_norm);ledger.count('grad_clip','steps')
def aT(progress,scalars,ledger,start,final,steps):t=min(progress.step/steps,1.)if steps>0 else 1.;d=(1-t)*start+t*final;ledger.i('momentum_warmup',f"momentum {d:.4f} at step {progress.step}");return scalars._replace(momentum=d)
def aU(tensor,update,names,lr,scalars,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*scalars.y);ledger.count('muon_weight_decay','tensors decayed')
def aV(a,n,o):
 e=a.shape[-2]>a.shape[-1]
 if e:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for p in range(n):t=a@a.mT;l=2.0315*t@t if o else 2.0315*(t@t);a=3.4445*a+(-4.775*t+l)@a
 return a.mT if e else a
def aW(update,steps,scale_first):return aV(update.bfloat16(),steps,scale_first)
def aX(a):
 global O
 if O is None:O=tg(aW)
 return O(a,5,False)
class MuonBank(a):weight:a;names:a;k:a;full:a;w:a;momentum:a;ee:a
def aY(h,l):
 global eh,oL;oL=tw();eh=[];w=e.bfloat16 if i.type=='cuda'else e.float32
 for(o,c)in sorted(zip(h,l,strict=True),key=lambda pair:-pair[0].numel()):*p,r,X=o.shape;g=-(-len(c)//n);u=(*c,*['']*g*n)[g*m:][:g];I=[(a,r,X)for a in(g*n,g)];s,t=[e.zeros(f,dtype=w,device=i)for f in I];ee,d=[e.zeros(f,dtype=e.bfloat16,device=i)for f in I];eh.append(MuonBank(o,c,u,s,t,d,ee))
def aZ():
 global oF;oF=[]
 for t in eh:l=ev(t.weight).bfloat16();t.full.flatten()[:l.numel()].copy_(l.flatten());oF.append(ex(t.w,t.full))
def oe(s,r):
 o=[]
 for(t,e)in zip(eh,oF,strict=True):
  eq(e);h=n;l=(t.w/h).bfloat16();a=tb(l,t.momentum,s.momentum);a=ty(a,t.k);o.append((t,ej(t.ee,a),a))
  if len(o)>1:ot(*o.pop(0),s,r)
 for i in o:ot(*i,s,r)
def ot(t,e,a,s,r):
 eq(e);o,u=t.weight,.025*s.o;n=t.ee.flatten()[:o.numel()].view_as(o)
 for h in ou:h(o,n,t.names,u,s,r)
 o.add_(n,alpha=-u*tv(o));r.count('parallel_muon','bank updates');r.count('newton_schulz','matrices',t.ee.size(0))
def oa():global oG;oG=h.perf_counter()-N
def oo():
 global N
 if e.cuda.is_available():e.cuda.synchronize()
 N=h.perf_counter()-oG;p.i('wall_clock',f"{N:.3f} seconds")
def oi(n):return 1e3*(h.perf_counter()-oG)
def on(a,length):
 if length<=0:return 1.
 if a.m>0:t=length*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 n=a.v-a.step;return n/length if 0<n<=length else 1.
def os(progress,scalars,ledger,length):t=on(progress,length);ledger.i('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(o=scalars.o*t)
class oh:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');o,n=eD(tensor.float());return{'codes':o,'step':n}
 def decode(e,name,parts,kind):return eF(parts,kind)
class J:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');o,n=eE(tensor.float());return{'codes':o,'step':n}
 def decode(e,name,parts,kind):return eF(parts,kind)
def ol():return Param('qo_bank',(22,512,512),'matrix','attn',(I,v),'banks',s=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(I,I),'banks',s=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(I,),'banks',s=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(v,),'banks',s=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',k,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',v,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',I,'bigram_hash'),Param('bigram.scale',(),'scalar','control',u(x,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',u(x,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ac,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',v,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',u(em,std=.005),'tied_head','activation',A='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',u(em,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',u(x,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',k,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',I,'value_embedding')
def od():global ea;ea='causal_attention';eA(ao())
ou=u(aU,weight_decay=.04),
om=None
N=.0
of=u(aS,max_norm=.3),
op=Group('embed',.035,.04),Group('scalar',.025,.04)
O=None
og='adam','additive_skips','banks','bigram_hash','causal_attention','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
ow=u(aT,final=.99,start=.92,steps=1500),u(os,length=4000)
P={'attn':oh(),'aux':J(True),'control':J(False),'embed':J(True),'mlp':oh()}
oy=9,10
if __name__=='__main__':tL(ol())